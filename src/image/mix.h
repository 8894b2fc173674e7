// SPDX-License-Identifier: LGPL-2.1-or-later
// Fading between the restyled picture and its source.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "image/image.h"
#include "image/input_converter.h"

namespace sdv2 {

// out = mix·restyled + (1-mix)·source, where `source` is fitted into the processing size as for the model.
// `restyled` and `out`: planes R, G, B of bytes [3, H, W] of the converter's processing size; they may be the
// same memory. `mix`: 0 (source only) … 1 (restyled only).
Result<void> mix_source(InputConverter& converter, const ImageView& source, float mix,
                        const uint8_t* restyled, uint8_t* out);

}  // namespace sdv2
