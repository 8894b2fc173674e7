// SPDX-License-Identifier: LGPL-2.1-or-later
// The host's part of chunk_input.h.
#include "image/chunk_input.h"

#include <ATen/ATen.h>

#include <sstream>

#include "image/chunk_input_parts.h"
#include "image/input_converter.h"

namespace sdv2 {
namespace {

class HostChunkInput final : public ChunkInput {
 public:
  HostChunkInput(Size processing, Fit fit) : converter_(processing, fit) {}

  Result<void> convert(std::span<const PackedImage> pictures, const at::Tensor& out) override {
    const Size size = converter_.processing();
    SDV2_CHECK(check_chunk(pictures, out, size, at::kCPU));
    const bool direct = out.scalar_type() == at::kFloat;
    if (!direct && !planes_.defined()) planes_ = at::empty({3, size.height, size.width}, at::kFloat);
    for (size_t t = 0; t < pictures.size(); ++t) {
      const at::Tensor frame = out[static_cast<int64_t>(t)];
      const at::Tensor& planes = direct ? frame : planes_;
      SDV2_CHECK(converter_.convert(view_of(pictures[t]), planes.mutable_data_ptr<float>()));
      if (!direct) frame.copy_(planes_);
    }
    return {};
  }

 private:
  InputConverter converter_;
  at::Tensor planes_;  // [3, H, W] float32, for tensors of other types
};

}  // namespace

Result<void> check_chunk(std::span<const PackedImage> pictures, const at::Tensor& out, Size processing,
                         at::Device device) {
  const auto type = out.scalar_type();
  const bool known = type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
  const int64_t shape[] = {static_cast<int64_t>(pictures.size()), 3, processing.height, processing.width};
  if (!known || out.sizes() != at::IntArrayRef(shape) || !out.is_contiguous() || out.device() != device) {
    std::ostringstream text;
    text << "chunk of " << pictures.size() << " pictures: tensor " << out.sizes() << " " << at::toString(type)
         << " on " << out.device() << "; needs contiguous " << at::IntArrayRef(shape)
         << " float32, float16 or bfloat16 on " << device;
    return Error{ErrorCode::kInvalidArgument, text.str()};
  }
  for (const PackedImage& picture : pictures) {
    SDV2_CHECK(check(picture.spec));
    if (picture.data == nullptr)
      return Error{ErrorCode::kInvalidArgument, "chunk of pictures: a picture has no data"};
  }
  return {};
}

Result<std::unique_ptr<ChunkInput>> make_chunk_input(Size processing, Fit fit, at::Device device) {
  if (processing.width < 1 || processing.height < 1)
    return Error{ErrorCode::kInvalidArgument, "processing size " + std::to_string(processing.width) + "x" +
                                                  std::to_string(processing.height) + " has no pixels"};
  if (device.is_cpu()) return std::unique_ptr<ChunkInput>(std::make_unique<HostChunkInput>(processing, fit));
#if SDV2_HAVE_CUDA
  if (device.is_cuda()) return make_cuda_chunk_input(processing, fit, device);
#endif
  return Error{ErrorCode::kUnsupported, "pictures cannot be converted on device " + device.str()};
}

}  // namespace sdv2
