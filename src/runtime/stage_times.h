// SPDX-License-Identifier: LGPL-2.1-or-later
// How long the stages of the chain take, of the last batches of each.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/device_stream.h"

namespace sdv2 {

// A plain value; not thread-safe.
class StageTimes {
 public:
  struct Summary {
    std::string name;
    size_t worker = 0;
    size_t count = 0;  // of the batches that the figures are of
    double p50_ms = 0, p95_ms = 0, p99_ms = 0;
  };

  // One batch of a stage ran between two marks on a worker; the device may still be at it. `order` sorts the
  // stages; with another number of denoising steps another stage may have the same.
  void add(int order, const std::string& stage, size_t worker, const Mark& begin, const Mark& end);

  // In order, of the batches that began at `since` or later. Those that the device has not finished are left
  // out.
  std::vector<Summary> summaries(std::chrono::steady_clock::time_point since) const;

 private:
  static constexpr size_t kKept = 512;
  using Stage = std::tuple<int, std::string, size_t>;  // order, name, worker
  std::map<Stage, std::deque<std::pair<Mark, Mark>>> stages_;
};

}  // namespace sdv2
