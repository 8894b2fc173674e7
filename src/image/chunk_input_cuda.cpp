// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA part of chunk_input.h: packed bytes go to the device as they are, and a kernel does the rest.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstring>
#include <optional>
#include <string>

#include "image/chunk_input_parts.h"
#include "image/input_kernel.h"
#include "image/input_plan.h"

namespace sdv2 {
namespace {

Result<void> cuda_result(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  return Error{ErrorCode::kDevice, std::string(what) + ": " + cudaGetErrorString(error)};
}

DType stored_type(at::ScalarType type) {
  if (type == at::kHalf) return DType::kF16;
  return type == at::kBFloat16 ? DType::kBF16 : DType::kF32;
}

at::Tensor device_bytes(int64_t count, at::Device device) {
  return at::empty({count}, at::TensorOptions(at::kByte).device(device));
}

// Tables of a plan in device memory.
class DeviceFilters {
 public:
  // Copies the tables on the current stream.
  DeviceFilters(const InputPlan& plan, at::Device device) : views_(host_filters(plan)) {
    FilterView* const views[] = {&views_.luma_across, &views_.luma_down, &views_.chroma_across,
                                 &views_.chroma_down};
    int64_t words = 0;
    for (const FilterView* view : views) words += int64_t{view->size} * (1 + view->taps);
    const at::Tensor host = at::empty({words * 4}, at::kByte);
    memory_ = device_bytes(words * 4, device);
    int64_t offset = 0;
    const auto place = [&](const auto*& table, int64_t count) {
      if (count > 0) std::memcpy(host.mutable_data_ptr<uint8_t>() + offset, table, count * 4);
      table =
          reinterpret_cast<std::remove_reference_t<decltype(table)>>(memory_.data_ptr<uint8_t>() + offset);
      offset += count * 4;
    };
    for (FilterView* view : views) {
      place(view->first, view->size);
      place(view->weights, int64_t{view->size} * view->taps);
    }
    memory_.copy_(host);
  }

  const InputFilters& views() const { return views_; }

 private:
  at::Tensor memory_;
  InputFilters views_;
};

class CudaChunkInput final : public ChunkInput {
 public:
  CudaChunkInput(Size processing, Fit fit, at::Device device)
      : processing_(processing), fit_(fit), device_(device) {}

  Result<void> convert(std::span<const PackedImage> pictures, const at::Tensor& out) override {
    SDV2_CHECK(check_chunk(pictures, out, processing_, device_));
    const c10::cuda::CUDAGuard guard(device_);
    int64_t bytes = 0;
    for (const PackedImage& picture : pictures) bytes += packed_size(picture.spec);
    if (!staging_.defined() || staging_.numel() < bytes) staging_ = device_bytes(bytes, device_);

    auto* staged = staging_.mutable_data_ptr<uint8_t>();
    auto* frame = static_cast<uint8_t*>(out.mutable_data_ptr());
    const int64_t frame_bytes = int64_t{3} * processing_.width * processing_.height * out.element_size();
    for (const PackedImage& picture : pictures) {
      SDV2_CHECK(convert_one(picture, staged, frame, stored_type(out.scalar_type())));
      staged += packed_size(picture.spec);
      frame += frame_bytes;
    }
    return {};
  }

 private:
  Result<void> convert_one(const PackedImage& picture, uint8_t* staged, void* frame, DType type) {
    if (!plan_ || plan_->spec != picture.spec) {
      SDV2_TRY(plan_, make_input_plan(picture.spec, processing_, fit_));
      filters_.emplace(*plan_, device_);
    }
    const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(device_.index());
    SDV2_CHECK(cuda_result(
        cudaMemcpyAsync(staged, picture.data, packed_size(picture.spec), cudaMemcpyHostToDevice, stream),
        "uploading a picture"));
    const InputArgs args = input_args(*plan_, filters_->views(), view_of({picture.spec, staged}));
    return cuda_result(launch_input(args, frame, type, stream), "converting a picture");
  }

  Size processing_;
  Fit fit_;
  at::Device device_;
  at::Tensor staging_;  // the packed pictures of a chunk
  std::optional<InputPlan> plan_;
  std::optional<DeviceFilters> filters_;
};

}  // namespace

std::unique_ptr<ChunkInput> make_cuda_chunk_input(Size processing, Fit fit, at::Device device) {
  return std::make_unique<CudaChunkInput>(processing, fit, device);
}

}  // namespace sdv2
