// SPDX-License-Identifier: LGPL-2.1-or-later
// FusedDit on the kernels of src/kernels/dit: buffers, parameters and graphs around FusedPass.
#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "dit/fused/fused_dit.h"
#include "dit/fused/fused_pass.h"
#include "dit/fused/graph_cache.h"
#include "dit/fused/time_cache.h"

namespace sdv2 {

class HopperDit : public FusedDit {
 public:
  // Sizes that the kernels have.
  static bool supports(const DitConfig& config);

  HopperDit(const CausalDit& dit, at::Device device);
  FusedResult run(const FusedCall& call) override;

 private:
  void make_room(const FusedForm& form);
  void write_inputs(const FusedCall& call, const FusedForm& form);
  const FusedParams& params_of(const FusedForm& form);
  at::Tensor result_of(const FusedForm& form) const;

  const CausalDit& dit_;
  at::Device device_;
  int processors_;
  LtLinear linear_;
  TimeCache times_;
  std::map<std::tuple<int64_t, int64_t, bool>, FusedParams> params_;  // by blocks and head of a form
  std::optional<FusedBuffers> buffers_;
  GraphCache<FusedForm> graphs_;
};

}  // namespace sdv2
