// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics of a session.
#include "stub/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace sdv2::stub {
namespace {

using Json = nlohmann::json;

constexpr size_t kLatencies = 512;
constexpr size_t kIntervals = 64;

void append(std::deque<int64_t>& list, int64_t value, size_t most) {
  list.push_back(value);
  if (list.size() > most) list.pop_front();
}

// Nearest-rank percentile; 0 of an empty list.
int64_t percentile(const std::deque<int64_t>& list, double percent) {
  if (list.empty()) return 0;
  std::vector<int64_t> sorted(list.begin(), list.end());
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

Json percentiles(const std::deque<int64_t>& list, double share) {
  const auto ms = [&](double percent) {
    return static_cast<double>(percentile(list, percent)) / 1e6 * share;
  };
  return {{"p50_ms", ms(50)}, {"p95_ms", ms(95)}, {"p99_ms", ms(99)}, {"count", list.size()}};
}

}  // namespace

void Stats::chunk_finished(int64_t submit_ns, int64_t start_ns, int64_t done_ns) {
  append(latencies_, done_ns - submit_ns, kLatencies);
  append(work_, done_ns - start_ns, kLatencies);
  if (last_done_.has_value()) append(intervals_, done_ns - *last_done_, kIntervals);
  last_done_ = done_ns;
}

void Stats::new_stream() {
  last_done_.reset();
  counts.first_frame_ns = 0;
}

sdv2_session_stats Stats::snapshot() const {
  sdv2_session_stats stats = counts;
  stats.struct_size = sizeof stats;
  stats.latency_p50_ns = percentile(latencies_, 50);
  stats.latency_p95_ns = percentile(latencies_, 95);
  stats.latency_p99_ns = percentile(latencies_, 99);
  if (!intervals_.empty())
    stats.chunk_interval_ns =
        static_cast<double>(std::accumulate(intervals_.begin(), intervals_.end(), int64_t{0})) /
        static_cast<double>(intervals_.size());
  return stats;
}

Json Stats::to_json(const Json& device) const {
  // The stub has no stages; it says that a quarter of the time went into either end.
  Json stages = Json::array();
  for (const auto& [name, share] : {std::pair{"encode", 0.25}, {"denoise", 0.5}, {"decode", 0.25}}) {
    Json stage = percentiles(work_, share);
    stage["name"] = name;
    stage["device"] = device;
    stages.push_back(std::move(stage));
  }
  const sdv2_session_stats now = snapshot();
  Json latency = percentiles(latencies_, 1);
  latency["first_frame_ms"] = static_cast<double>(now.first_frame_ns) / 1e6;
  latency["chunk_interval_ms"] = now.chunk_interval_ns / 1e6;
  return {{"stages", std::move(stages)},
          {"latency", std::move(latency)},
          {"counts",
           {{"chunks_submitted", now.chunks_submitted},
            {"chunks_done", now.chunks_done},
            {"chunks_failed", now.chunks_failed},
            {"chunks_dropped", now.chunks_dropped},
            {"chunks_skipped", now.chunks_skipped},
            {"frames_in", now.frames_in},
            {"frames_out", now.frames_out}}}};
}

}  // namespace sdv2::stub
