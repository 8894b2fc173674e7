// SPDX-License-Identifier: LGPL-2.1-or-later
// Latents to tokens: a 3-D convolution whose kernel equals its stride, which is a linear layer over patches.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/dit_config.h"
#include "weights/param_list.h"

namespace sdv2 {

class PatchEmbedding {
 public:
  explicit PatchEmbedding(const DitConfig& config) : in_dim_(config.in_dim), dim_(config.dim) {}
  void list(const ParamScope& p);

  // latents [R, F, in_dim, h, w], h and w even → tokens [R, F·S, dim] in the order of TokenGrid.
  at::Tensor forward(const at::Tensor& latents) const;

 private:
  int64_t in_dim_, dim_;
  at::Tensor weight_, bias_;
};

}  // namespace sdv2
