// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/chunk_output.h"

#include <ATen/ATen.h>
#if SDV2_HAVE_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include <sstream>

namespace sdv2 {
namespace {

#if SDV2_HAVE_CUDA
Result<void> convert_on_cuda(const at::Tensor& pixels, PixelScale scale, const at::Tensor& out) {
  const c10::cuda::CUDAGuard guard(pixels.device());
  const auto type = pixels.scalar_type() == at::kHalf       ? DType::kF16
                    : pixels.scalar_type() == at::kBFloat16 ? DType::kBF16
                                                            : DType::kF32;
  const cudaError_t error =
      launch_pixel_bytes(pixels.const_data_ptr(), type, scale, pixels.numel(),
                         out.mutable_data_ptr<uint8_t>(), c10::cuda::getCurrentCUDAStream());
  if (error == cudaSuccess) return {};
  return Error{ErrorCode::kDevice, std::string("converting pixels: ") + cudaGetErrorString(error)};
}
#endif

}  // namespace

Result<void> convert_chunk_output(const at::Tensor& pixels, PixelScale scale, const at::Tensor& out) {
  const auto type = pixels.scalar_type();
  const bool known = type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
  if (!known || out.scalar_type() != at::kByte || out.sizes() != pixels.sizes() || !pixels.is_contiguous() ||
      !out.is_contiguous() || out.device() != pixels.device()) {
    std::ostringstream text;
    text << "pixels " << pixels.sizes() << " " << at::toString(type) << " on " << pixels.device() << " to "
         << out.sizes() << " " << at::toString(out.scalar_type()) << " on " << out.device()
         << "; needs contiguous float32, float16 or bfloat16, and uint8 of the same shape and device";
    return Error{ErrorCode::kInvalidArgument, text.str()};
  }
#if SDV2_HAVE_CUDA
  if (pixels.is_cuda()) return convert_on_cuda(pixels, scale, out);
#endif
  if (!pixels.is_cpu())
    return Error{ErrorCode::kUnsupported, "pixels cannot be converted on device " + pixels.device().str()};
  pixel_bytes(pixels.to(at::kFloat).const_data_ptr<float>(), scale, pixels.numel(),
              out.mutable_data_ptr<uint8_t>());
  return {};
}

}  // namespace sdv2
