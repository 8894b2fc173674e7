// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/deadline.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sdv2 {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(Deadline, IsTheTimestampOnTheClockAndTheLatency) {
  EXPECT_EQ(deadline_ns({.media_ns = 1'000, .clock_ns = 50'000}, 1'400, 300), 50'700);
}

TEST(Deadline, MayLieBeforeTheAnchor) {
  EXPECT_EQ(deadline_ns({.media_ns = 1'000, .clock_ns = 50'000}, 100, 300), 49'400);
}

TEST(Deadline, WithoutLatencyLimitThereIsNone) {
  EXPECT_EQ(deadline_ns({.media_ns = 0, .clock_ns = -5}, 0, kNoDeadline), kNoDeadline);
}

TEST(Deadline, Saturates) {
  EXPECT_EQ(deadline_ns({.media_ns = 0, .clock_ns = kNoDeadline}, 10, 10), kNoDeadline);
  EXPECT_EQ(deadline_ns({.media_ns = kLeast, .clock_ns = 0}, 0, 1), kNoDeadline);
  EXPECT_EQ(saturating_add(kLeast, -1), kLeast);
}

TEST(Deadline, SecondsBecomeNanoseconds) {
  EXPECT_EQ(seconds_to_ns(0.0125), 12'500'000);
  EXPECT_EQ(seconds_to_ns(1e30), kNoDeadline);
  EXPECT_EQ(seconds_to_ns(-1e30), kLeast);
  EXPECT_EQ(seconds_to_ns(NAN), 0);
}

}  // namespace
}  // namespace sdv2
