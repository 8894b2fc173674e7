// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/norm.h"

#include <ATen/ATen.h>

namespace sdv2 {

at::Tensor layer_norm(const at::Tensor& x, double eps) {
  return at::layer_norm(x, {x.size(-1)}, {}, {}, eps);
}

void AffineLayerNorm::list(const ParamScope& p) {
  p("weight", weight_, {dim_});
  p("bias", bias_, {dim_});
}

at::Tensor AffineLayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, {dim_}, weight_, bias_, eps_);
}

void RmsNorm::list(const ParamScope& p) { p("weight", weight_, {dim_}); }

at::Tensor RmsNorm::forward(const at::Tensor& x) const {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.pow(2).mean(-1, /*keepdim=*/true) + eps_);
  return (wide * scale).to(x.scalar_type()) * weight_;
}

}  // namespace sdv2
