// SPDX-License-Identifier: LGPL-2.1-or-later
// The estimate's band.
#include "transform/latency_estimator.h"

#include <algorithm>

namespace sdv2 {

void LatencyEstimator::restart(int64_t declared_ns, bool fixed) {
  *this = {};
  declared_ns_ = declared_ns;
  fixed_ = fixed;
}

int64_t LatencyEstimator::measured_ns() const {
  // The 99th percentile of at most 64 values is their maximum.
  return count_ == 0 ? 0 : *std::max_element(window_.begin(), window_.begin() + static_cast<int64_t>(count_));
}

bool LatencyEstimator::observe(int64_t took_ns, int64_t now_ns) {
  window_[next_] = std::max<int64_t>(took_ns, 0);
  next_ = (next_ + 1) % kWindow;
  count_ = std::min(count_ + 1, kWindow);
  if (took_ns > declared_ns_) ++exceeded_;
  if (fixed_) return false;
  const int64_t measured = measured_ns();
  const bool grow = measured > declared_ns_;
  const bool shrink = count_ == kWindow && measured < declared_ns_ - declared_ns_ / 4;
  if (!grow && !shrink) return false;
  if (ever_changed_ && now_ns - changed_ns_ < kMinIntervalNs) return false;
  declared_ns_ = measured + measured / 20;
  changed_ns_ = now_ns;
  ever_changed_ = true;
  return true;
}

}  // namespace sdv2
