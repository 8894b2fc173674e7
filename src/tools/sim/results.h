// SPDX-License-Identifier: LGPL-2.1-or-later
// What came out of a simulated run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/sim/options.h"

namespace sdv2::sim {

struct SecondOfRun {
  int64_t due = 0, met = 0, filled = 0;
  double worst_latency_s = 0;  // of restyled chunks that were due in it
  double rungs = 0;            // sum over the streams of the rungs given up, at its end
};

struct RunResult {
  Policy policy = Policy::kSlo;
  int streams = 0;  // that ran
  int refused = 0;
  std::string refusal;  // of the first that was refused
  std::string placement;
  int64_t chunks = 0, met = 0, late = 0, filled = 0;
  double latency_p50_s = 0, latency_p95_s = 0, latency_p99_s = 0, latency_max_s = 0;
  double longest_freeze_s = 0;
  double utilisation = 0;     // mean over the GPUs
  double rows_per_batch = 0;  // of denoising forwards
  int64_t quality_changes = 0;
  double full_quality = 0;  // share of stream time at full quality
  double recovered_s = -1;  // from the end of the last slow time until all streams had full quality for
                            // good; -1: nothing was slow, or never
  std::vector<SecondOfRun> seconds;

  double attainment() const {
    return chunks == 0 ? 1 : static_cast<double>(met) / static_cast<double>(chunks);
  }
};

}  // namespace sdv2::sim
