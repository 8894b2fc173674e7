// SPDX-License-Identifier: LGPL-2.1-or-later
// How long a stream may hold a picture to save time.
#pragma once

#include <cstdint>

#include "sched/deadline.h"

namespace sdv2 {

// One chunk may always be left out. More in a row only while the picture stands still for no more than 0.3 s
// (at 30 frames per second and four frames a chunk: one chunk is 0.17 s, two are 0.3 s), and never more than
// two, so that costs are measured again. Follows one stream, in order; not thread-safe.
class FreezeGuard {
 public:
  // A chunk begins; it will move the picture.
  void begin(int64_t deadline_ns) {
    held_since_ns_ = deadline_ns;
    left_out_ = 0;
  }
  void leave_out() { ++left_out_; }

  // Whether the next chunk, with that deadline, may be left out.
  bool may_leave_out(int64_t deadline_ns) const {
    if (left_out_ == 0) return true;
    return left_out_ < kMostInARow && deadline_ns <= saturating_add(held_since_ns_, kLongest_ns);
  }

 private:
  static constexpr int kMostInARow = 2;
  // From the first picture of the last chunk that moved to that of the last one that is left out. The
  // pictures of that chunk stand still too, but those of the first one did not, all but the last.
  static constexpr int64_t kLongest_ns = 270'000'000;

  int64_t held_since_ns_ = kNoDeadline;
  int left_out_ = 0;
};

}  // namespace sdv2
