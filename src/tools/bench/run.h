// SPDX-License-Identifier: LGPL-2.1-or-later
// One run of sdv2-bench: warm-up, then all streams at once with one setting of the steps.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sdv2/sdv2.hpp"
#include "tools/bench/measure.h"
#include "tools/bench/options.h"

namespace sdv2::bench {

struct StageTimes {
  std::string name;
  std::string device;  // empty: the host
  int worker = -1;     // its place in the list of devices; -1: the host
  Percentiles times;
};

struct RunResult {
  int steps = 0;
  int64_t frames = 0;         // of all streams
  double fps = 0;             // of all streams
  double first_frame_ms = 0;  // of the slowest stream
  // In the order of a frame's way: upload, the engine's stages, download, then work, chunk and total.
  std::vector<StageTimes> stages;
  std::vector<uint64_t> checksums;  // of each stream
  uint64_t checksum = 0;            // of all: that of the only stream, or of the streams' checksums in order
  int64_t due = 0;                  // chunks with a deadline, of all streams
  int64_t met = 0;                  // of them, made in time
  int64_t repeated = 0;             // of them, the last picture again
  int64_t source = 0;               // of them, the source
  double late_ms = 0;               // the worst
  double freeze_ms = 0;             // the longest time without a new picture
  double degraded_until_s = 0;      // when a stream was below full quality last; 0: never
  std::map<int, int64_t> on_rung;   // chunks by rung of the degradation ladder
  std::optional<double> psnr;       // with --against
  int largest_difference = 0;
  int64_t host_peak_bytes = 0;  // of the process, so far
  nlohmann::json devices;       // memory as the engine tells it
  nlohmann::json plan;
  nlohmann::json settings;
};

// A loaded model and what its info says of it.
struct LoadedModel {
  client::Model model;
  nlohmann::json info;
  double load_ms = 0;
  int width = 0;
  int height = 0;
};

// Loads the model, with progress on stderr. Errors: those of the engine.
Result<LoadedModel> load_model(const client::Engine& engine, const Options& options);

// Runs with these steps (nothing: the model's own), with progress on stderr when it takes long.
Result<RunResult> run_once(LoadedModel& loaded, const Options& options, std::optional<int> steps);

}  // namespace sdv2::bench
