// SPDX-License-Identifier: LGPL-2.1-or-later
// Filling memory with the standard-normal numbers of philox.h: on the host, and by a CUDA kernel with the
// same bits.
#pragma once

#include <cstdint>
#include <span>

#include "base/dtype.h"
#include "kernels/philox.h"

#if SDV2_HAVE_CUDA
#include <cuda_runtime_api.h>
#endif

namespace sdv2 {

// A draw has at most this many elements (the block counter has 32 bits).
constexpr int64_t kMaxNormals = int64_t{1} << 34;

// out[i] = element first + i of the draw. Parts of a draw may be filled in any order and by any threads.
void fill_normal(const NormalKey& key, int64_t first, std::span<float> out);

#if SDV2_HAVE_CUDA
// Queues a kernel on `stream` that fills out[0 … count-1], device memory of the stream's device, with
// elements 0 … count-1 of the draw. `type` is kF32, kF16 or kBF16 (the float32 number, rounded to nearest
// even); count <= kMaxNormals. Returns the error of the launch; other types give cudaErrorInvalidValue.
cudaError_t launch_fill_normal(const NormalKey& key, void* out, DType type, int64_t count,
                               cudaStream_t stream);
#endif

}  // namespace sdv2
