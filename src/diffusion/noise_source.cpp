// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/noise_source.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#if SDV2_HAVE_CUDA
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include <optional>
#include <sstream>

#include "kernels/philox_normal.h"

namespace sdv2 {
namespace {

std::optional<DType> stored_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return DType::kF32;
    case at::kHalf:
      return DType::kF16;
    case at::kBFloat16:
      return DType::kBF16;
    default:
      return std::nullopt;
  }
}

at::Tensor draw_on_host(const NormalKey& key, at::IntArrayRef shape) {
  constexpr int64_t kGrain = 1 << 14;  // about 100 µs of work
  at::Tensor out = at::empty(shape, at::kFloat);
  auto* data = out.mutable_data_ptr<float>();
  at::parallel_for(0, out.numel(), kGrain, [&](int64_t begin, int64_t end) {
    fill_normal(key, begin, {data + begin, static_cast<size_t>(end - begin)});
  });
  return out;
}

#if SDV2_HAVE_CUDA
at::Tensor draw_on_cuda(const NormalKey& key, at::IntArrayRef shape, at::ScalarType type, at::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  at::Tensor out = at::empty(shape, at::TensorOptions(type).device(device));
  C10_CUDA_CHECK(launch_fill_normal(key, out.mutable_data_ptr(), *stored_type(type), out.numel(),
                                    c10::cuda::getCurrentCUDAStream()));
  return out;
}
#endif

}  // namespace

Result<at::Tensor> PhiloxNoise::draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                                     at::Device device) {
  if (!stored_type(type))
    return Error{ErrorCode::kUnsupported,
                 std::string("noise: type ") + at::toString(type) + "; use float32, float16 or bfloat16"};
  if (c10::multiply_integers(shape) > kMaxNormals) {
    std::ostringstream text;
    text << "noise: shape " << shape << " has more than 2^34 elements";
    return Error{ErrorCode::kInvalidArgument, text.str()};
  }
  const NormalKey normal_key = {seed_, key.chunk, key.step};
#if SDV2_HAVE_CUDA
  if (device.is_cuda()) return draw_on_cuda(normal_key, shape, type, device);
#endif
  return draw_on_host(normal_key, shape).to(device, type);
}

Result<at::Tensor> ReplayNoise::draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                                     at::Device device) {
  std::ostringstream text;
  text << "recorded noise, draw " << next_ << " (chunk " << key.chunk << ", step " << key.step << "): ";
  if (next_ == draws_.size()) {
    text << "only " << draws_.size() << " draws were recorded";
    return Error{ErrorCode::kNotFound, text.str()};
  }
  const at::Tensor& recorded = draws_[next_];
  if (recorded.sizes() != shape) {
    text << "recorded with shape " << recorded.sizes() << ", asked for " << shape;
    return Error{ErrorCode::kInvalidArgument, text.str()};
  }
  ++next_;
  return recorded.to(device, type).contiguous();
}

}  // namespace sdv2
