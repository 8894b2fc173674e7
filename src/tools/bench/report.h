// SPDX-License-Identifier: LGPL-2.1-or-later
// What sdv2-bench prints.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/options.h"
#include "tools/bench/run.h"

namespace sdv2::bench {

// One object: what ran, and "runs" with one entry per run.
std::string json_report(const std::string& engine_version, const LoadedModel& loaded, const Options& options,
                        const std::vector<RunResult>& runs);

// A table with a line per run, and one with a line per run and stage.
std::string table_report(const std::string& engine_version, const LoadedModel& loaded, const Options& options,
                         const std::vector<RunResult>& runs);

}  // namespace sdv2::bench
