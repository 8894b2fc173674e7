// SPDX-License-Identifier: LGPL-2.1-or-later
// A session's statistics as JSON, for people and tools.
#pragma once

#include <string>

#include "stream/loaded_model.h"
#include "stream/session_stats.h"
#include "stream/settings.h"

namespace sdv2 {

// "stages" are of all that ran on the model since the session was opened, other sessions included.
// {"stages": [{"name", "device", "worker", "p50_ms", "p95_ms", "p99_ms", "count"}], "latency": {"p50_ms", …},
//  "chunks": {…}, "frames": {…}, "memory": {"host_bytes", "devices": [{"device", "bytes", "peak_bytes"}]},
//  "plan", "settings"}
std::string stats_json(LoadedModel& model, const SessionSettings& settings, const SessionStats& stats);

}  // namespace sdv2
