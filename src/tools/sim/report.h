// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables and JSON of sdv2-sim.
#pragma once

#include <string>
#include <vector>

#include "tools/sim/options.h"
#include "tools/sim/results.h"

namespace sdv2::sim {

// The runs in the order of the table: by number of streams, then by policy.
std::string table_report(const Options& options, const std::vector<RunResult>& runs);
std::string json_report(const Options& options, const std::vector<RunResult>& runs);

// Over time of one load, or over the loads of a sweep: an SVG document.
std::string time_plot(const Options& options, const std::vector<RunResult>& runs);
std::string sweep_plot(const std::vector<RunResult>& runs);

}  // namespace sdv2::sim
