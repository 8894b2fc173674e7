// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of sdv2-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sched/degradation.h"
#include "tools/sim/costs.h"

namespace sdv2::sim {

enum class Policy : uint8_t { kSlo, kStatic, kThreshold, kNone };
inline constexpr Policy kPolicies[] = {Policy::kSlo, Policy::kStatic, Policy::kThreshold, Policy::kNone};
const char* to_string(Policy policy);

// Streams that are alike.
struct StreamKind {
  int count = 1;
  double fps = 24;
  double latency_s = 0.5;
  int steps = 1;
  int width = 512, height = 512;
  int priority = 0;
  uint8_t degrade = kDegradeAll;
};

// GPUs that are alike; speed 1 is the one that the costs are of.
struct GpuKind {
  int count = 1;
  double speed = 1;
};

// A GPU (or all, -1) takes `factor` times as long for a while.
struct SlowTime {
  int gpu = -1;
  double begin_s = 0, seconds = 0, factor = 1;
};

struct Sweep {
  int first = 1, last = 1, step = 1;
};

struct Options {
  bool help = false, json = false, admit = false;
  std::vector<GpuKind> gpus{GpuKind{}};
  int gpus_per_stream = 1;
  CostSettings costs;
  std::string recorded;  // file of sdv2-bench --json
  std::vector<StreamKind> streams;
  std::optional<Sweep> sweep;  // of the count of the first kind
  double seconds = 60;
  double jitter = 0.03;
  uint64_t seed = 0;
  std::vector<SlowTime> slow;
  std::vector<Policy> policies{std::begin(kPolicies), std::end(kPolicies)};
  int max_rows = 8;
  int static_rows = 4;
  std::string plot;

  int gpu_count() const;
  int stream_count() const;
};

extern const char* const kUsage;

// `arguments` without the program's name. Errors: kInvalidArgument naming the option and what it takes.
Result<Options> parse_options(std::span<const char* const> arguments);

}  // namespace sdv2::sim
