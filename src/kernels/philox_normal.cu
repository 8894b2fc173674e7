// SPDX-License-Identifier: LGPL-2.1-or-later
// CUDA side of philox_normal.h: one thread makes one Philox block, four elements.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>

#include "kernels/philox_normal.h"

namespace sdv2 {
namespace {

template <class T>
__device__ T rounded(float value);
template <>
__device__ float rounded<float>(float value) {
  return value;
}
template <>
__device__ __half rounded<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__device__ __nv_bfloat16 rounded<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

template <class T>
__global__ void fill_normal_kernel(NormalKey key, T* out, int64_t count) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t block = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; block * 4 < count; block += stride) {
    const Four<float> four = normal_block(key, static_cast<uint32_t>(block));
    for (int lane = 0; lane < 4 && block * 4 + lane < count; ++lane)
      out[block * 4 + lane] = rounded<T>(four.v[lane]);
  }
}

template <class T>
cudaError_t launch(const NormalKey& key, void* out, int64_t count, cudaStream_t stream) {
  constexpr int kThreads = 256;
  constexpr int64_t kMaxGrid = 4096;  // enough for any device; a longer draw loops
  const int64_t grid = std::min((count + 4 * kThreads - 1) / (4 * kThreads), kMaxGrid);
  fill_normal_kernel<T>
      <<<static_cast<unsigned>(grid), kThreads, 0, stream>>>(key, static_cast<T*>(out), count);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_fill_normal(const NormalKey& key, void* out, DType type, int64_t count,
                               cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  switch (type) {
    case DType::kF32:
      return launch<float>(key, out, count, stream);
    case DType::kF16:
      return launch<__half>(key, out, count, stream);
    case DType::kBF16:
      return launch<__nv_bfloat16>(key, out, count, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace sdv2
