// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/fused_params.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

at::Tensor wide(const at::Tensor& values) { return values.to(at::kFloat).contiguous(); }

}  // namespace

FusedBlockParams::FusedBlockParams(const Block& block)
    : norm_q(wide(block.self_attn().norm_q().weight())),
      norm_k(wide(block.self_attn().norm_k().weight())),
      norm3_scale(wide(block.norm3().weight())),
      norm3_shift(wide(block.norm3().bias())),
      cross_norm_q(wide(block.cross_attn().norm_q().weight())) {}

FusedParams::FusedParams(const CausalDit& dit, const BlockRange& range, bool with_head) {
  std::vector<at::Tensor> tables;
  for (int64_t i = range.begin; i < range.end; ++i) {
    TORCH_CHECK(dit.block(i).self_attn().qkv(), "the weights of block ", i, " were not joined");
    blocks.emplace_back(dit.block(i));
    tables.push_back(dit.block(i).modulation_table());
  }
  if (!tables.empty()) modulation = wide(at::cat(tables));
  if (with_head) head_modulation = wide(dit.head_layers().modulation_table());
}

}  // namespace sdv2
