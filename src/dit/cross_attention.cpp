// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/cross_attention.h"

#include <ATen/ATen.h>

#include "dit/attention.h"

namespace sdv2 {
namespace {

at::Tensor split_heads(const at::Tensor& x) { return x.unflatten(-1, {x.size(-1) / kHeadDim, kHeadDim}); }

}  // namespace

CrossAttention::CrossAttention(const DitConfig& config)
    : q_(config.dim, config.dim),
      k_(config.dim, config.dim),
      v_(config.dim, config.dim),
      o_(config.dim, config.dim),
      norm_q_(config.dim, config.eps),
      norm_k_(config.dim, config.eps) {}

void CrossAttention::list(const ParamScope& p) {
  q_.list(p / "q");
  k_.list(p / "k");
  v_.list(p / "v");
  o_.list(p / "o");
  norm_q_.list(p / "norm_q");
  norm_k_.list(p / "norm_k");
}

TextKv CrossAttention::keys_values(const at::Tensor& context) const {
  return {split_heads(norm_k_.forward(k_.forward(context))), split_heads(v_.forward(context))};
}

at::Tensor CrossAttention::forward(const at::Tensor& x, const TextKv& text) const {
  const at::Tensor q = split_heads(norm_q_.forward(q_.forward(x)));  // [R, L, heads, 128]
  const auto for_every_row = [rows = x.size(0)](const at::Tensor& y) { return y.expand({rows, -1, -1, -1}); };
  const at::Tensor attended = attend(q, for_every_row(text.k), for_every_row(text.v));
  return o_.forward(attended.flatten(-2));  // [R, L, dim]
}

}  // namespace sdv2
