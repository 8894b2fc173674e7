// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/fused_buffers.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/dit/adaptive_sinks.h"
#include "kernels/dit/attention.h"

namespace sdv2 {

bool FusedSizes::covers(const FusedSizes& other) const {
  return tokens >= other.tokens && frames >= other.frames && blocks >= other.blocks &&
         table_bytes >= other.table_bytes && rows >= other.rows && sinks >= other.sinks && fp8 >= other.fp8;
}

FusedSizes FusedSizes::with(const FusedSizes& other) const {
  return {std::max(tokens, other.tokens),
          std::max(frames, other.frames),
          std::max(blocks, other.blocks),
          std::max(table_bytes, other.table_bytes),
          std::max(rows, other.rows),
          std::max(sinks, other.sinks),
          fp8 || other.fp8};
}

FusedBuffers::FusedBuffers(const DitConfig& config, const FusedSizes& wanted, int processors,
                           at::Device device)
    : sizes(wanted) {
  const auto make = [device](at::IntArrayRef shape, at::ScalarType type) {
    return at::empty(shape, at::TensorOptions(type).device(device));
  };
  latents = make({sizes.tokens * config.patch_in()}, at::kBFloat16);
  flow = make({sizes.tokens * config.patch_out()}, at::kBFloat16);
  for (at::Tensor* activations : {&x, &y, &q, &attended, &z})
    *activations = make({sizes.tokens, config.dim}, at::kBFloat16);
  wide = make({sizes.tokens, std::max(3 * config.dim, config.ffn_dim)}, at::kBFloat16);
  if (sizes.fp8) {
    wide8 = make({sizes.tokens, config.ffn_dim}, at::kByte);
    for (at::Tensor* scales : {&y_scales, &wide_scales}) *scales = make({sizes.tokens}, at::kFloat);
  }
  turns = make({sizes.tokens, kHeadDim / 2, 2}, at::kFloat);
  modulation = make({sizes.blocks, sizes.frames, 6, config.dim}, at::kFloat);
  head_modulation = make({sizes.frames, 2, config.dim}, at::kFloat);
  table = make({sizes.table_bytes}, at::kByte);
  similarity = make({sizes.blocks * sizes.rows * sizes.sinks}, at::kFloat);
  sink_scratch = make({adaptive_sink_floats(sizes.rows, sizes.sinks, config.dim)}, at::kFloat);
  partial_sums = make({attention_sum_bytes(processors)}, at::kByte);
  partial_norms = make({attention_norm_bytes(processors)}, at::kByte);
}

}  // namespace sdv2
