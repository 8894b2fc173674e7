// SPDX-License-Identifier: LGPL-2.1-or-later
// How many chunks per second a stream asks for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "sched/deadline.h"

namespace sdv2 {

// From the deadlines of its chunks, and so by the clock of its pictures: a stream that has to wait for the
// engine does not look slower for it. Of the last distances the shortest counts, since chunks that were
// dropped on the way make the others longer. Not thread-safe.
class ChunkRate {
 public:
  // In order of submission. kNoDeadline: the stream has none (any more).
  void add(int64_t deadline_ns) {
    if (deadline_ns == kNoDeadline || deadline_ns <= last_ns_)
      distances_.clear();
    else if (last_ns_ != kNoDeadline)
      distances_.push_back(deadline_ns - last_ns_);
    if (distances_.size() > kDistances) distances_.pop_front();
    last_ns_ = deadline_ns;
  }

  bool has_deadlines() const { return last_ns_ != kNoDeadline; }
  // 0 while it is not known.
  double per_second() const {
    return distances_.empty() ? 0
                              : 1 / ns_to_seconds(*std::min_element(distances_.begin(), distances_.end()));
  }

 private:
  static constexpr size_t kDistances = 8;
  std::deque<int64_t> distances_;
  int64_t last_ns_ = kNoDeadline;
};

}  // namespace sdv2
