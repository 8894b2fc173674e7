// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams, GPUs and a policy on a virtual clock.
#pragma once

#include "base/result.h"
#include "tools/sim/costs.h"
#include "tools/sim/options.h"
#include "tools/sim/results.h"

namespace sdv2::sim {

// Runs the options' streams and GPUs (not the sweep) under a policy. The same options give the same result.
// Errors: kInvalidArgument when the chain cannot be placed.
Result<RunResult> simulate(const Options& options, const CostBook& costs, Policy policy);

}  // namespace sdv2::sim
