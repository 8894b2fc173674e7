// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/freeze_guard.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sdv2 {
namespace {

// The longest time, in frames, without a new picture, when a stream leaves out as many chunks as it may.
int longest_freeze(int64_t frame_ns) {
  constexpr int kFrames = 4;  // of a chunk
  FreezeGuard guard;
  int longest = 0, frozen = 1;  // the last picture of a chunk stands as well
  for (int64_t chunk = 0; chunk < 20; ++chunk) {
    const int64_t deadline = 1'000'000'000 + chunk * kFrames * frame_ns;
    if (chunk > 0 && guard.may_leave_out(deadline)) {
      guard.leave_out();
      frozen += kFrames;
    } else {
      guard.begin(deadline);
      longest = std::max(longest, frozen);
      frozen = 1;
    }
  }
  return longest;
}

TEST(FreezeGuard, HoldsAPictureForThreeTenthsOfASecondAtMost) {
  EXPECT_EQ(longest_freeze(1'000'000'000 / 24), 5);  // 208 ms; nine would be 375
  EXPECT_EQ(longest_freeze(1'000'000'000 / 30), 9);  // 300 ms
  EXPECT_EQ(longest_freeze(1'000'000'000 / 60), 9);
}

TEST(FreezeGuard, OneChunkMayAlwaysBeLeftOut) { EXPECT_EQ(longest_freeze(1'000'000'000 / 10), 5); }

TEST(FreezeGuard, DeadlinesThatAreNoClockEndNothing) {
  FreezeGuard guard;
  guard.begin(kNoDeadline);
  guard.leave_out();
  EXPECT_TRUE(guard.may_leave_out(kNoDeadline));
  guard.leave_out();
  EXPECT_FALSE(guard.may_leave_out(kNoDeadline));
  guard.begin(INT64_MIN);
  guard.leave_out();
  EXPECT_FALSE(guard.may_leave_out(INT64_MAX));
}

}  // namespace
}  // namespace sdv2
