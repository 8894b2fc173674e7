// SPDX-License-Identifier: LGPL-2.1-or-later
// The model's output tensor → bytes.
#pragma once

#include <ATen/core/Tensor.h>

#include "base/result.h"
#include "image/pixel_bytes.h"

namespace sdv2 {

// Writes pixel_byte() of every value of `pixels` to `out`. `pixels`: contiguous float32, float16 or bfloat16,
// [T, 3, H, W] usually, but any shape; `out`: contiguous uint8 of the same shape on the same device. On CUDA
// it is queued on the device's current stream and allocates nothing. Errors: kInvalidArgument, kDevice.
Result<void> convert_chunk_output(const at::Tensor& pixels, PixelScale scale, const at::Tensor& out);

}  // namespace sdv2
