// SPDX-License-Identifier: LGPL-2.1-or-later
// Host side of philox_normal.h.
#include "kernels/philox_normal.h"

namespace sdv2 {

void fill_normal(const NormalKey& key, int64_t first, std::span<float> out) {
  const int64_t end = first + static_cast<int64_t>(out.size());
  for (int64_t index = first; index < end;) {
    const Four<float> four = normal_block(key, static_cast<uint32_t>(index / 4));
    do out[index - first] = four.v[index % 4];
    while (++index % 4 != 0 && index < end);
  }
}

}  // namespace sdv2
