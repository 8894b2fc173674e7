// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/self_attention.h"

#include <ATen/ATen.h>

#include "dit/attention.h"
#include "dit/rope.h"

namespace sdv2 {

SelfAttention::SelfAttention(const DitConfig& config)
    : q_(config.dim, config.dim),
      k_(config.dim, config.dim),
      v_(config.dim, config.dim),
      o_(config.dim, config.dim),
      norm_q_(config.dim, config.eps),
      norm_k_(config.dim, config.eps) {}

void SelfAttention::list(const ParamScope& p) {
  q_.list(p / "q");
  k_.list(p / "k");
  v_.list(p / "v");
  o_.list(p / "o");
  norm_q_.list(p / "norm_q");
  norm_k_.list(p / "norm_k");
}

at::Tensor SelfAttention::forward(const at::Tensor& x, const at::Tensor& turns, KvStore& kv) const {
  const auto split_heads = [](const at::Tensor& y) {
    return y.unflatten(-1, {y.size(-1) / kHeadDim, kHeadDim});
  };
  // The norms run over the whole width, before the split.
  const at::Tensor q = rotate(split_heads(norm_q_.forward(q_.forward(x))), turns);  // [R, L, heads, 128]
  const at::Tensor k = rotate(split_heads(norm_k_.forward(k_.forward(x))), turns);
  const at::Tensor v = split_heads(v_.forward(x));

  const std::vector<KvRow> past = kv.write(k, v);
  // Rows have pasts of different lengths, so each is one call.
  std::vector<at::Tensor> rows;
  for (size_t r = 0; r < past.size(); ++r)
    rows.push_back(
        attend(q.narrow(0, static_cast<int64_t>(r), 1), past[r].k.unsqueeze(0), past[r].v.unsqueeze(0)));
  return o_.forward(at::cat(rows).flatten(-2));  // [R, L, dim]
}

}  // namespace sdv2
