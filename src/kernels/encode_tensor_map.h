// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensor maps: how tensor copies (TMA) of Hopper GPUs see bf16 tensors in memory. Host code only.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <initializer_list>

#include "base/result.h"

namespace sdv2 {

// Dimensions from the innermost, whose elements lie side by side; `strides` in bytes, of all the others. A
// copy brings a box; what lies outside the sizes reads as zeros, whatever memory holds. `map` is set when the
// result is ok: it is not the result, as GCC remarks on every value of that alignment that is passed.
Result<void> encode_tensor_map(CUtensorMap& map, const void* data, std::initializer_list<int64_t> sizes,
                               std::initializer_list<int64_t> strides, std::initializer_list<int> box,
                               CUtensorMapSwizzle swizzle);

}  // namespace sdv2
