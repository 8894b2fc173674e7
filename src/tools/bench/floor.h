// SPDX-License-Identifier: LGPL-2.1-or-later
// What a run's stages would take at least by the roofline model (tools/sim/roofline.h), beside what they
// took.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/bench/run.h"

namespace sdv2::bench {

struct StageFloor {
  std::string name;
  double p50_ms = 0;               // measured; of a stage that is cut over devices the sum
  std::optional<double> floor_ms;  // nothing for networks that the roofline does not know

  // Of the floor's rate.
  std::optional<double> percent() const {
    if (!floor_ms || p50_ms <= 0) return std::nullopt;
    return 100 * *floor_ms / p50_ms;
  }
};

// Encode, each denoising step and decode, then "all" of them where all are known. The run's steps are those
// of one row each (execution "latency", one stream).
std::vector<StageFloor> stage_floors(const LoadedModel& loaded, const RunResult& run);

}  // namespace sdv2::bench
