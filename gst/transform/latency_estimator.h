// SPDX-License-Identifier: LGPL-2.1-or-later
// How long a chunk takes through the engine: what the element promises, kept true by what it measures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sdv2 {

// The declared time is a promise that all sinks are timed by, so it changes seldom: it grows when the
// measured 99th percentile passes it (to 5 % above what was measured), and shrinks only when a full window of
// measurements lies more than 25 % below it; never twice within kMinIntervalNs. All times in nanoseconds. Not
// thread-safe.
class LatencyEstimator {
 public:
  static constexpr size_t kWindow = 64;
  static constexpr int64_t kMinIntervalNs = 1'000'000'000;

  // Forgets what was measured. `declared_ns`: the promise until measurements say otherwise. With `fixed` they
  // never change it.
  void restart(int64_t declared_ns, bool fixed);

  // A chunk took `took_ns`, and was finished at `now_ns`. True when the declared time has changed.
  bool observe(int64_t took_ns, int64_t now_ns);

  int64_t declared_ns() const { return declared_ns_; }
  // 99th percentile of the window; 0 without measurements. (Of up to 64 values: the largest.)
  int64_t measured_ns() const;
  // Chunks that took longer than was declared.
  uint64_t exceeded() const { return exceeded_; }

 private:
  std::array<int64_t, kWindow> window_{};
  size_t next_ = 0;
  size_t count_ = 0;
  int64_t declared_ns_ = 0;
  int64_t changed_ns_ = 0;
  bool ever_changed_ = false;
  bool fixed_ = false;
  uint64_t exceeded_ = 0;
};

}  // namespace sdv2
