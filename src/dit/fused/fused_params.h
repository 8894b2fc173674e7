// SPDX-License-Identifier: LGPL-2.1-or-later
// Small parameters in the form that the kernels take: fp32.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/causal_dit.h"

namespace sdv2 {

// Of one block: vectors [dim].
struct FusedBlockParams {
  explicit FusedBlockParams(const Block& block);

  at::Tensor norm_q, norm_k, norm3_scale, norm3_shift, cross_norm_q;
};

// Of a run of pieces. The blocks' tables of modulation [blocks, 6, dim], behind one another; the head's [1,
// 2, dim].
struct FusedParams {
  FusedParams(const CausalDit& dit, const BlockRange& range, bool with_head);

  std::vector<FusedBlockParams> blocks;
  at::Tensor modulation;
  at::Tensor head_modulation;
};

}  // namespace sdv2
