// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/block.h"

#include <ATen/ATen.h>

#include "dit/modulation.h"

namespace sdv2 {

Block::Block(const DitConfig& config)
    : dim_(config.dim),
      eps_(config.eps),
      self_attn_(config),
      norm3_(config.dim, config.eps),
      cross_attn_(config),
      ffn_in_(config.dim, config.ffn_dim),
      ffn_out_(config.ffn_dim, config.dim) {}

void Block::list(const ParamScope& p) {
  p("modulation", modulation_, {1, 6, dim_});
  self_attn_.list(p / "self_attn");
  norm3_.list(p / "norm3");
  cross_attn_.list(p / "cross_attn");
  ffn_in_.list(p / "ffn" / 0);
  ffn_out_.list(p / "ffn" / 2);
}

at::Tensor Block::forward(const at::Tensor& x, const at::Tensor& e0, const at::Tensor& turns,
                          const TextKv& text, KvStore& kv) const {
  const BlockModulation m = modulation(e0);
  at::Tensor y = add_gated(x, self_attention(x, m, turns, kv), m.gate1);
  y = y + cross_attention(y, text);
  return add_gated(y, feed_forward(y, m), m.gate2);
}

void Block::quantise() {
  self_attn_.quantise();
  cross_attn_.quantise();
  ffn_in_.quantise();
  ffn_out_.quantise();
}

BlockModulation Block::modulation(const at::Tensor& e0) const {
  const auto m = (modulation_ + e0).unbind(2);  // 6 × [R, F, dim]
  return {m[0], m[1], m[2], m[3], m[4], m[5]};
}

at::Tensor Block::self_attention(const at::Tensor& x, const BlockModulation& m, const at::Tensor& turns,
                                 KvStore& kv) const {
  return self_attn_.forward(modulate(layer_norm(x, eps_), m.shift1, m.scale1), turns, kv);
}

at::Tensor Block::cross_attention(const at::Tensor& x, const TextKv& text) const {
  return cross_attn_.forward(norm3_.forward(x), text);
}

at::Tensor Block::feed_forward(const at::Tensor& x, const BlockModulation& m) const {
  const at::Tensor y = modulate(layer_norm(x, eps_), m.shift2, m.scale2);
  return ffn_out_.forward(at::gelu(ffn_in_.forward(y), "tanh"));
}

}  // namespace sdv2
