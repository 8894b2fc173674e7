// SPDX-License-Identifier: LGPL-2.1-or-later
// What the files of chunk_input.h share.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>

#include "base/result.h"
#include "image/chunk_input.h"

namespace sdv2 {

// The rules of ChunkInput::convert for its arguments.
Result<void> check_chunk(std::span<const PackedImage> pictures, const at::Tensor& out, Size processing,
                         at::Device device);

#if SDV2_HAVE_CUDA
std::unique_ptr<ChunkInput> make_cuda_chunk_input(Size processing, Fit fit, at::Device device);
#endif

}  // namespace sdv2
