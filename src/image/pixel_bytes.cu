// SPDX-License-Identifier: LGPL-2.1-or-later
// CUDA side of pixel_bytes.h.
#include <algorithm>

#include "image/float_store.cuh"
#include "image/pixel_bytes.h"

namespace sdv2 {
namespace {

template <class T>
__global__ void pixel_bytes_kernel(const T* values, PixelScale scale, int64_t count, uint8_t* out) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride)
    out[i] = pixel_byte(load(values + i), scale);
}

template <class T>
cudaError_t launch(const void* values, PixelScale scale, int64_t count, uint8_t* out, cudaStream_t stream) {
  constexpr int kThreads = 256;
  constexpr int64_t kMaxGrid = 4096;  // enough for any device; a longer run loops
  const int64_t grid = std::min((count + kThreads - 1) / kThreads, kMaxGrid);
  pixel_bytes_kernel<T><<<static_cast<unsigned>(grid), kThreads, 0, stream>>>(static_cast<const T*>(values),
                                                                              scale, count, out);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_pixel_bytes(const void* values, DType type, PixelScale scale, int64_t count, uint8_t* out,
                               cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  switch (type) {
    case DType::kF32:
      return launch<float>(values, scale, count, out, stream);
    case DType::kF16:
      return launch<__half>(values, scale, count, out, stream);
    case DType::kBF16:
      return launch<__nv_bfloat16>(values, scale, count, out, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace sdv2
