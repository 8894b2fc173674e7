// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/chunk_slot.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace sdv2 {

at::Tensor host_bytes(at::IntArrayRef shape, bool pinned) {
  return at::empty(shape, at::TensorOptions().dtype(at::kByte).pinned_memory(pinned));
}

void ChunkSlot::reuse() { count_ = 0; }

void ChunkSlot::add_picture(const ImageView& image) {
  if (pictures_.size() == count_) pictures_.emplace_back();
  Picture& picture = pictures_[count_];
  const int64_t size = packed_size(image.spec);
  if (!picture.bytes.defined() || picture.bytes.numel() < size) picture.bytes = host_bytes({size}, pinned_);
  picture.spec = image.spec;
  pack(image, picture.bytes.mutable_data_ptr<uint8_t>());
  ++count_;
}

std::vector<PackedImage> ChunkSlot::padded(size_t count) const {
  std::vector<PackedImage> pictures;
  pictures.reserve(count);
  for (size_t i = 0; i < count; ++i) pictures.push_back(picture(std::min(i, count_ - 1)));
  return pictures;
}

at::Tensor& ChunkSlot::result(int64_t frames, int64_t height, int64_t width) {
  const std::array<int64_t, 4> shape = {frames, 3, height, width};
  if (!result_.defined() || result_.sizes() != at::IntArrayRef(shape)) result_ = host_bytes(shape, pinned_);
  return result_;
}

}  // namespace sdv2
