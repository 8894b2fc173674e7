// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures → the model's input, in a CUDA kernel. The host twin is InputConverter::convert; the float32 bits
// are equal.
#pragma once

#include "base/dtype.h"
#include "image/input_pixel.h"

#if SDV2_HAVE_CUDA
#include <cuda_runtime_api.h>

namespace sdv2 {

// Queues a kernel on `stream` that writes planes R, G, B in -1…1, [3, H, W] of args.size, contiguous. All
// pointers are memory of the stream's device. `type` is kF32, kF16 or kBF16 (rounded to nearest even).
// Returns the error of the launch; other types give cudaErrorInvalidValue.
cudaError_t launch_input(const InputArgs& args, void* out, DType type, cudaStream_t stream);

}  // namespace sdv2
#endif
