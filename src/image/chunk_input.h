// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of a chunk → one tensor, the model's input.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>

#include "base/result.h"
#include "image/fit.h"
#include "image/image.h"

namespace sdv2 {

// Converts packed pictures to the processing size on one device. Keeps tables and device memory for the kind
// of pictures it saw last, so that a stream of equal chunks allocates nothing. One thread at a time.
class ChunkInput {
 public:
  virtual ~ChunkInput() = default;

  // Writes picture t to out[t]: planes R, G, B in -1…1. `out`: [T, 3, H, W] (T pictures), contiguous,
  // float32, float16 or bfloat16, on the object's device. The pictures may differ in format and size.
  //
  // On CUDA the work is queued on the device's current stream, which must be the same for every call; the
  // pictures must stay as they are until it is done, and be in pinned memory for the call not to wait for the
  // copy. Errors: kInvalidArgument for a bad picture or tensor, with nothing written; kDevice from CUDA.
  virtual Result<void> convert(std::span<const PackedImage> pictures, const at::Tensor& out) = 0;
};

// `processing`: pixels, at least 1x1. `device`: the CPU or a CUDA device with its index; others, and CUDA in
// a build without it, are kUnsupported.
Result<std::unique_ptr<ChunkInput>> make_chunk_input(Size processing, Fit fit, at::Device device);

}  // namespace sdv2
