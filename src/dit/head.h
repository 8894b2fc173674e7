// SPDX-License-Identifier: LGPL-2.1-or-later
// Tokens to the predicted flow.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/dit_config.h"
#include "dit/linear.h"
#include "dit/token_grid.h"

namespace sdv2 {

class Head {
 public:
  explicit Head(const DitConfig& config);
  void list(const ParamScope& p);

  // x [R, F·S, dim] and the time embedding e [R, F, dim] → flow [R, F, out_dim, h, w].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& e, const TokenGrid& grid) const;

  // The parts of forward, for fused kernels: the table [1, 2, dim] (shift, scale) of the norm's modulation,
  // and what follows it. y [R, F·S, dim] → flow.
  const at::Tensor& modulation_table() const { return modulation_; }
  at::Tensor project(const at::Tensor& y, const TokenGrid& grid) const;

 private:
  int64_t dim_;
  double eps_;
  at::Tensor modulation_;
  Linear head_;
};

}  // namespace sdv2
