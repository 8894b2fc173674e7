// SPDX-License-Identifier: LGPL-2.1-or-later
// The memory of one chunk of a session: the source pictures on the way in, the restyled ones on the way out.
// Slots are used again and again, so that a stream of equal chunks allocates nothing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"

namespace sdv2 {

// Host memory that a GPU can copy from and to without waiting, when `pinned`.
at::Tensor host_bytes(at::IntArrayRef shape, bool pinned);

class ChunkSlot {
 public:
  // `pinned`: a GPU will read and write it.
  explicit ChunkSlot(bool pinned) : pinned_(pinned) {}

  // Empties it for another chunk; keeps the memory.
  void reuse();

  // Copies a checked picture behind the others.
  void add_picture(const ImageView& image);
  size_t pictures() const { return count_; }
  // The pictures, the last one repeated until there are `count`.
  std::vector<PackedImage> padded(size_t count) const;
  // The i-th picture that was added.
  PackedImage picture(size_t i) const {
    return {pictures_.at(i).spec, pictures_.at(i).bytes.const_data_ptr<uint8_t>()};
  }

  // Room for the restyled pictures, uint8 [T, 3, H, W], planes R, G, B.
  at::Tensor& result(int64_t frames, int64_t height, int64_t width);
  const at::Tensor& result() const { return result_; }

 private:
  struct Picture {
    ImageSpec spec;
    at::Tensor bytes;  // at least packed_size(spec)
  };
  bool pinned_;
  size_t count_ = 0;
  std::vector<Picture> pictures_;
  at::Tensor result_;
};

}  // namespace sdv2
