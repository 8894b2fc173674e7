// SPDX-License-Identifier: LGPL-2.1-or-later
// A linear layer with bias: y = x·Wᵀ + b.
#pragma once

#include <ATen/ATen.h>

#include "weights/param_list.h"

namespace sdv2 {

class Linear {
 public:
  Linear(int64_t in, int64_t out) : in_(in), out_(out) {}

  void list(const ParamScope& p) {
    p("weight", weight_, {out_, in_});
    p("bias", bias_, {out_});
  }

  at::Tensor forward(const at::Tensor& x) const {
    return at::linear(x, weight_, bias_);
  }  // [..., in] → [..., out]

 private:
  int64_t in_, out_;
  at::Tensor weight_, bias_;
};

}  // namespace sdv2
