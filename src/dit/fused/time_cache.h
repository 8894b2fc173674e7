// SPDX-License-Identifier: LGPL-2.1-or-later
// Time vectors of the timesteps that were asked for lately. Steady streams use the same few again and again.
#pragma once

#include <map>
#include <vector>

#include "dit/causal_dit.h"

namespace sdv2 {

class TimeCache {
 public:
  // `dit` holds the time embedding on `device`.
  TimeCache(const CausalDit& dit, at::Device device) : dit_(dit), device_(device) {}

  // One of each timestep, in bf16: e [1, 1, dim], e0 [1, 1, 6, dim]. They stay valid until the next call.
  std::vector<const TimeVectors*> of(const std::vector<double>& timesteps);

 private:
  const CausalDit& dit_;
  at::Device device_;
  std::map<double, TimeVectors> known_;
};

}  // namespace sdv2
