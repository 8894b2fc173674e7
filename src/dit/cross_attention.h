// SPDX-License-Identifier: LGPL-2.1-or-later
// Attention of a chunk's tokens over the prompt.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/dit_config.h"
#include "dit/linear.h"
#include "dit/norm.h"

namespace sdv2 {

// A block's keys (normed) and values of the prompt, computed once per prompt: [R, text_len, heads, 128], or
// [1, …] when all rows have the same prompt.
struct TextKv {
  at::Tensor k;
  at::Tensor v;
};

class CrossAttention {
 public:
  explicit CrossAttention(const DitConfig& config);
  void list(const ParamScope& p);

  // context [R or 1, text_len, dim], from the text embedding.
  TextKv keys_values(const at::Tensor& context) const;

  // x [R, L, dim] → the same shape. Every row of the text is attended, padding included; no position.
  at::Tensor forward(const at::Tensor& x, const TextKv& text) const;

  // Keeps the weights of q and o in fp8 only: forward() fails from then on.
  void quantise() {
    q_.quantise();
    o_.quantise();
  }

  // The layers, for fused kernels.
  const Linear& q() const { return q_; }
  const Linear& o() const { return o_; }
  const RmsNorm& norm_q() const { return norm_q_; }

 private:
  Linear q_, k_, v_, o_;
  RmsNorm norm_q_, norm_k_;
};

}  // namespace sdv2
