// SPDX-License-Identifier: LGPL-2.1-or-later
// What the timestep tells the blocks and the head.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/dit_config.h"
#include "dit/linear.h"

namespace sdv2 {

struct TimeVectors {
  at::Tensor e;   // [R, F, dim], for the head
  at::Tensor e0;  // [R, F, 6, dim], for the blocks
};

class TimeEmbedding {
 public:
  explicit TimeEmbedding(const DitConfig& config);
  // Keys time_embedding.* and time_projection.* of the network, whose scope `p` is.
  void list(const ParamScope& p);

  // timesteps [R, F], 0…1000, integer or real, on the device of the weights; results in `type`.
  TimeVectors forward(const at::Tensor& timesteps, at::ScalarType type) const;

 private:
  int64_t freq_dim_;
  Linear in_, out_, projection_;
};

}  // namespace sdv2
