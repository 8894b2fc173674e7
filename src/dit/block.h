// SPDX-License-Identifier: LGPL-2.1-or-later
// One transformer block: self-attention, cross-attention, feed-forward, each added to the residual stream.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/cross_attention.h"
#include "dit/dit_config.h"
#include "dit/linear.h"
#include "dit/norm.h"
#include "dit/self_attention.h"

namespace sdv2 {

// The time vectors of one block, [R, F, dim] each.
struct BlockModulation {
  at::Tensor shift1, scale1, gate1;  // around self-attention
  at::Tensor shift2, scale2, gate2;  // around the feed-forward network
};

class Block {
 public:
  explicit Block(const DitConfig& config);
  void list(const ParamScope& p);

  // x [R, F·S, dim] → the same shape. e0 [R, F, 6, dim] from the time embedding, `turns` from rope_turns,
  // `text` this block's keys and values of the prompt, `kv` this block's cache, which is written.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& e0, const at::Tensor& turns, const TextKv& text,
                     KvStore& kv) const;

  // This block's keys and values of a prompt, from the text embedding's context [R or 1, text_len, dim].
  TextKv text_kv(const at::Tensor& context) const { return cross_attn_.keys_values(context); }

  // The parts of forward: what each branch adds to the stream (before its gate), from the stream x as it is
  // there.
  BlockModulation modulation(const at::Tensor& e0) const;
  at::Tensor self_attention(const at::Tensor& x, const BlockModulation& m, const at::Tensor& turns,
                            KvStore& kv) const;
  at::Tensor cross_attention(const at::Tensor& x, const TextKv& text) const;
  at::Tensor feed_forward(const at::Tensor& x, const BlockModulation& m) const;

  void join_qkv() { self_attn_.join_qkv(); }
  // Keeps the joined block's linears in fp8 only, for FusedDit; forward() and its parts fail from then on.
  void quantise();
  bool quantised() const { return ffn_in_.quantised().has_value(); }

  // The layers, for fused kernels.
  const at::Tensor& modulation_table() const { return modulation_; }  // [1, 6, dim]
  const SelfAttention& self_attn() const { return self_attn_; }
  const AffineLayerNorm& norm3() const { return norm3_; }
  const CrossAttention& cross_attn() const { return cross_attn_; }
  const Linear& ffn_in() const { return ffn_in_; }
  const Linear& ffn_out() const { return ffn_out_; }

 private:
  int64_t dim_;
  double eps_;
  at::Tensor modulation_;
  SelfAttention self_attn_;
  AffineLayerNorm norm3_;  // the cross-attention's; norm1 and norm2 have no parameters
  CrossAttention cross_attn_;
  Linear ffn_in_, ffn_out_;
};

}  // namespace sdv2
