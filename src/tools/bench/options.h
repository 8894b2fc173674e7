// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of sdv2-bench.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace sdv2::bench {

struct Options {
  bool help = false;
  std::string engine;  // library; empty: the one that belongs to this program
  std::string model;
  std::string devices = "auto";
  std::string precision = "auto";
  std::string vae = "auto";
  std::string kernels = "auto";
  std::string linears = "auto";
  std::string plan = "auto";
  std::string fault;  // empty: none

  // Nothing given: the model's own.
  std::optional<int> width;
  std::optional<int> height;
  std::vector<int> steps;  // one run each; empty: one run
  std::optional<double> noise_scale;

  std::string prompt;
  int64_t seed = 0;
  std::string execution = "auto";

  int streams = 1;
  int chunks = 0;                    // of each stream; 0: as many as `seconds` take
  double seconds = 0;                // 0: as long as `chunks` take
  double target_fps = 0;             // frames go in at this rate; 0: as fast as the engine takes them
  double target_latency_ms = 0;      // when a chunk is due, from its first frame on; 0: never
  std::vector<std::string> degrade;  // what streams may give up for their deadlines
  bool admit = false;                // streams that do not fit are refused
  int warmup = 2;
  int capacity = 4;

  bool json = false;
  bool show_plan = false;
  bool compare = false;
  bool check_fused = false;
  std::string frames;   // raw RGB to read
  std::string dump;     // raw RGB to write
  std::string against;  // raw RGB to compare with
  std::string trace;
};

// The text of --help.
extern const char* const kUsage;

// `arguments` without the program's name. Errors: kInvalidArgument naming the option and what it takes.
Result<Options> parse_options(std::span<const char* const> arguments);

}  // namespace sdv2::bench
