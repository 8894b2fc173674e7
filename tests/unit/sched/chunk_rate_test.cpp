// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/chunk_rate.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(ChunkRate, IsUnknownBeforeTheSecondDeadline) {
  ChunkRate rate;
  EXPECT_FALSE(rate.has_deadlines());
  rate.add(5 * kSecond);
  EXPECT_TRUE(rate.has_deadlines());
  EXPECT_EQ(rate.per_second(), 0);
  rate.add(5 * kSecond + kSecond / 4);
  EXPECT_DOUBLE_EQ(rate.per_second(), 4);
}

TEST(ChunkRate, DroppedChunksDoNotMakeAStreamSlower) {
  ChunkRate rate;
  for (const int64_t chunk : {0, 1, 3, 6, 7}) rate.add(chunk * kSecond / 4);
  EXPECT_DOUBLE_EQ(rate.per_second(), 4);
}

TEST(ChunkRate, FollowsAChangeOfTheFrameRate) {
  ChunkRate rate;
  int64_t now = 0;
  for (int i = 0; i < 20; ++i) rate.add(now += kSecond / 8);
  for (int i = 0; i < 8; ++i) rate.add(now += kSecond / 2);
  EXPECT_DOUBLE_EQ(rate.per_second(), 2);
}

TEST(ChunkRate, BeginsAnewWhenTheClockJumpsBackOrDeadlinesEnd) {
  ChunkRate rate;
  rate.add(10 * kSecond);
  rate.add(11 * kSecond);
  rate.add(kSecond);
  EXPECT_EQ(rate.per_second(), 0);
  rate.add(2 * kSecond);
  EXPECT_DOUBLE_EQ(rate.per_second(), 1);
  rate.add(kNoDeadline);
  EXPECT_FALSE(rate.has_deadlines());
  EXPECT_EQ(rate.per_second(), 0);
  rate.add(3 * kSecond);
  EXPECT_EQ(rate.per_second(), 0);
}

}  // namespace
}  // namespace sdv2
