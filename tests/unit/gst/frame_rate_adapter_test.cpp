// SPDX-License-Identifier: LGPL-2.1-or-later
// Frame-rate adaption: what goes to which slot, and that nothing drifts.
#include "chunk/frame_rate_adapter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

namespace sdv2 {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;

// The input frame in each slot, in order; gaps are not filled in these runs.
std::vector<int> slots_of(FrameRateAdapter& adapter, const std::vector<int64_t>& times,
                          std::optional<int64_t> duration) {
  std::vector<int> slots;
  for (size_t i = 0; i < times.size(); ++i) {
    const auto plan = adapter.place(times[i], duration);
    EXPECT_FALSE(plan.gap);
    if (plan.fill + plan.copies > 0) {
      EXPECT_EQ(plan.first_slot, static_cast<int64_t>(slots.size()));
    }
    slots.insert(slots.end(), plan.fill, static_cast<int>(i) - 1);
    slots.insert(slots.end(), plan.copies, static_cast<int>(i));
  }
  return slots;
}

TEST(FrameRateAdapter, SameRatePassesEveryFrame) {
  FrameRateAdapter adapter(20, 1, 4);
  EXPECT_EQ(slots_of(adapter, {0, 50 * kMs, 100 * kMs, 150 * kMs}, 50 * kMs), (std::vector<int>{0, 1, 2, 3}));
}

TEST(FrameRateAdapter, DropsToALowerRate) {
  FrameRateAdapter adapter(20, 1, 4);
  std::vector<int64_t> times;
  for (int i = 0; i < 7; ++i) times.push_back(i * kSecond / 30);
  EXPECT_EQ(slots_of(adapter, times, kSecond / 30), (std::vector<int>{0, 1, 3, 4, 6}));
}

TEST(FrameRateAdapter, RepeatsToAHigherRateAtOnceWhenTheDurationIsKnown) {
  FrameRateAdapter adapter(20, 1, 4);
  EXPECT_EQ(slots_of(adapter, {0, 100 * kMs, 200 * kMs}, 100 * kMs), (std::vector<int>{0, 0, 1, 1, 2, 2}));
}

TEST(FrameRateAdapter, RepeatsToAHigherRateAfterwardsWhenItIsNot) {
  FrameRateAdapter adapter(20, 1, 4);
  EXPECT_EQ(slots_of(adapter, {0, 100 * kMs, 200 * kMs}, std::nullopt), (std::vector<int>{0, 0, 1, 1, 2}));
}

TEST(FrameRateAdapter, FillsALostFrame) {
  FrameRateAdapter adapter(20, 1, 4);
  EXPECT_EQ(slots_of(adapter, {0, 50 * kMs, 150 * kMs}, 50 * kMs), (std::vector<int>{0, 1, 1, 2}));
}

TEST(FrameRateAdapter, JitterBelowHalfAFrameMovesNothing) {
  FrameRateAdapter adapter(20, 1, 4);
  EXPECT_EQ(slots_of(adapter, {0, 74 * kMs, 76 * kMs, 174 * kMs}, 50 * kMs), (std::vector<int>{0, 1, 2, 3}));
}

TEST(FrameRateAdapter, LeavesALongGapOpen) {
  FrameRateAdapter adapter(20, 1, 4);
  adapter.place(0, 50 * kMs);
  const auto plan = adapter.place(50 * kMs + 5 * 50 * kMs, 50 * kMs);
  EXPECT_TRUE(plan.gap);
  EXPECT_EQ(plan.fill, 0u);
  EXPECT_EQ(plan.copies, 1u);
  EXPECT_EQ(plan.first_slot, 6);
  EXPECT_FALSE(adapter.place(7 * 50 * kMs, 50 * kMs).gap);
}

TEST(FrameRateAdapter, SmallStepsBackAreDroppedLargeOnesBeginAnew) {
  FrameRateAdapter adapter(20, 1, 4);
  adapter.place(100 * kSecond, 50 * kMs);
  EXPECT_EQ(adapter.place(99 * kSecond, 50 * kMs).copies, 0u);
  const auto plan = adapter.place(5 * kSecond, 50 * kMs);
  EXPECT_TRUE(plan.gap);
  EXPECT_EQ(plan.copies, 1u);
  EXPECT_EQ(adapter.slot_time(plan.first_slot), 5 * kSecond);
}

TEST(FrameRateAdapter, ResetMovesTheGridToTheNextFrame) {
  FrameRateAdapter adapter(20, 1, 4);
  adapter.place(0, 50 * kMs);
  adapter.reset();
  const auto plan = adapter.place(1234, 50 * kMs);
  EXPECT_FALSE(plan.gap);
  EXPECT_EQ(adapter.slot_time(plan.first_slot), 1234);
}

TEST(FrameRateAdapter, AbsurdDurationsAreBounded) {
  FrameRateAdapter adapter(1000, 1, 4);
  EXPECT_EQ(adapter.place(0, INT64_MAX).copies, 10'000u);
}

// 24 hours of 29.97 Hz at 16 Hz: every slot is within half a slot and half an input frame of its picture, and
// their number is exact.
TEST(FrameRateAdapter, DoesNotDrift) {
  FrameRateAdapter adapter(16, 1, 4);
  std::mt19937 random(1);
  std::uniform_int_distribution<int64_t> jitter(-2 * kMs, 2 * kMs);
  const int64_t frames = 24LL * 3600 * 30000 / 1001;
  const int64_t input_frame = kSecond * 1001 / 30000;
  int64_t slots = 0;
  int64_t worst = 0;
  for (int64_t i = 0; i < frames; ++i) {
    const int64_t time = i * kSecond / 30000 * 1001 + (i > 0 ? jitter(random) : 0);
    const auto plan = adapter.place(time, input_frame);
    ASSERT_FALSE(plan.gap);
    ASSERT_EQ(plan.fill, 0u);
    if (plan.copies > 0) worst = std::max(worst, std::abs(adapter.slot_time(plan.first_slot) - time));
    slots += plan.copies;
  }
  EXPECT_LE(worst, kSecond / 32);
  EXPECT_NEAR(static_cast<double>(slots), 24 * 3600 * 16, 1);
  EXPECT_EQ(adapter.slot_time(24LL * 3600 * 16), 24LL * 3600 * kSecond);
}

}  // namespace
}  // namespace sdv2
