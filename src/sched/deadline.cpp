// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/deadline.h"

#include <cmath>

namespace sdv2 {

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

int64_t seconds_to_ns(double seconds) {
  if (std::isnan(seconds)) return 0;
  const double ns = seconds * 1e9;
  constexpr double kLimit = 9.2e18;
  if (ns >= kLimit) return std::numeric_limits<int64_t>::max();
  if (ns <= -kLimit) return std::numeric_limits<int64_t>::min();
  return std::llround(ns);
}

int64_t deadline_ns(const ClockAnchor& anchor, int64_t first_pts_ns, int64_t latency_ns) {
  if (latency_ns == kNoDeadline) return kNoDeadline;
  const int64_t after_anchor = anchor.media_ns == std::numeric_limits<int64_t>::min()
                                   ? std::numeric_limits<int64_t>::max()
                                   : saturating_add(first_pts_ns, -anchor.media_ns);
  return saturating_add(saturating_add(anchor.clock_ns, after_anchor), latency_ns);
}

}  // namespace sdv2
