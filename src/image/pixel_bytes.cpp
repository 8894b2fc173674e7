// SPDX-License-Identifier: LGPL-2.1-or-later
// Host side of pixel_bytes.h. Built with the options of row_ops.cpp.
#include "image/pixel_bytes.h"

namespace sdv2 {

void pixel_bytes(const float* values, PixelScale scale, int64_t count, uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] = pixel_byte(values[i], scale);
}

}  // namespace sdv2
