// SPDX-License-Identifier: LGPL-2.1-or-later
// Attention of a chunk's tokens over themselves and the cached past.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "dit/dit_config.h"
#include "dit/kv_store.h"
#include "dit/linear.h"
#include "dit/norm.h"

namespace sdv2 {

class SelfAttention {
 public:
  explicit SelfAttention(const DitConfig& config);
  void list(const ParamScope& p);

  // x [R, F·S, dim] → the same shape. `turns`: rope_turns of the chunk. Writes the chunk's k and v to `kv`.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& turns, KvStore& kv) const;

  // Stores the weights of q, k and v behind one another, for qkv(). After loading; forward() stays as it is.
  void join_qkv() { qkv_ = Linear::join({&q_, &k_, &v_}); }

  // Keeps the joined weights and o's in fp8 only: forward() fails from then on.
  void quantise() {
    qkv_.value().quantise();
    for (Linear* part : {&q_, &k_, &v_}) part->forget();
    o_.quantise();
  }

  // The layers, for fused kernels. qkv: all three, once they are joined.
  const std::optional<Linear>& qkv() const { return qkv_; }
  const Linear& o() const { return o_; }
  const RmsNorm& norm_q() const { return norm_q_; }
  const RmsNorm& norm_k() const { return norm_k_; }

 private:
  Linear q_, k_, v_, o_;
  std::optional<Linear> qkv_;
  RmsNorm norm_q_, norm_k_;
};

}  // namespace sdv2
