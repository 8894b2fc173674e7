// SPDX-License-Identifier: LGPL-2.1-or-later
// The two norms of the transformer, over the last dimension.
#pragma once

#include <ATen/core/Tensor.h>

#include "weights/param_list.h"

namespace sdv2 {

// (x − mean) / sqrt(variance + eps), variance biased. Statistics in float32, one rounding at the end.
at::Tensor layer_norm(const at::Tensor& x, double eps);

// layer_norm · weight + bias
class AffineLayerNorm {
 public:
  AffineLayerNorm(int64_t dim, double eps) : dim_(dim), eps_(eps) {}
  void list(const ParamScope& p);
  at::Tensor forward(const at::Tensor& x) const;

  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }

 private:
  int64_t dim_;
  double eps_;
  at::Tensor weight_, bias_;
};

// x / sqrt(mean(x²) + eps) · weight. The norm is float32 and rounds to x's type before the weight is applied.
class RmsNorm {
 public:
  RmsNorm(int64_t dim, double eps) : dim_(dim), eps_(eps) {}
  void list(const ParamScope& p);
  at::Tensor forward(const at::Tensor& x) const;

  const at::Tensor& weight() const { return weight_; }

 private:
  int64_t dim_;
  double eps_;
  at::Tensor weight_;
};

}  // namespace sdv2
