// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/session_stats.h"

#include <algorithm>

#include "base/percentile.h"

namespace sdv2 {

void SessionStats::add_done(int64_t submit_ns, int64_t done_ns) {
  constexpr size_t kLatencies = 512;
  constexpr size_t kIntervals = 64;
  latencies_.push_back(done_ns - submit_ns);
  if (latencies_.size() > kLatencies) latencies_.pop_front();
  done_.push_back(done_ns);
  if (done_.size() > kIntervals + 1) done_.pop_front();
}

int64_t SessionStats::latency_ns(double share) const {
  std::vector<int64_t> sorted(latencies_.begin(), latencies_.end());
  std::sort(sorted.begin(), sorted.end());
  return percentile(sorted, share);
}

double SessionStats::chunk_interval_ns() const {
  if (done_.size() < 2) return 0;
  return static_cast<double>(done_.back() - done_.front()) / static_cast<double>(done_.size() - 1);
}

}  // namespace sdv2
