// SPDX-License-Identifier: LGPL-2.1-or-later
// CUDA side of input_kernel.h: a thread makes one pixel from its neighbourhood in the picture. Neighbours
// share nearly all of it through the caches, so nothing is staged by hand.
#include "image/float_store.cuh"
#include "image/input_kernel.h"

namespace sdv2 {
namespace {

template <class T>
__global__ void input_kernel(const __grid_constant__ InputArgs args, T* out) {
  const int32_t x = static_cast<int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
  const int32_t y = static_cast<int32_t>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x >= args.size.width || y >= args.size.height) return;
  float rgb[3];
  input_pixel(args, x, y, rgb);
  const int64_t area = int64_t{args.size.width} * args.size.height;
  T* pixel = out + int64_t{y} * args.size.width + x;
  for (int c = 0; c < 3; ++c) store(rgb[c], pixel + c * area);
}

template <class T>
cudaError_t launch(const InputArgs& args, void* out, cudaStream_t stream) {
  const dim3 block(32, 8);
  const dim3 grid((args.size.width + block.x - 1) / block.x, (args.size.height + block.y - 1) / block.y);
  input_kernel<T><<<grid, block, 0, stream>>>(args, static_cast<T*>(out));
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_input(const InputArgs& args, void* out, DType type, cudaStream_t stream) {
  switch (type) {
    case DType::kF32:
      return launch<float>(args, out, stream);
    case DType::kF16:
      return launch<__half>(args, out, stream);
    case DType::kBF16:
      return launch<__nv_bfloat16>(args, out, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace sdv2
