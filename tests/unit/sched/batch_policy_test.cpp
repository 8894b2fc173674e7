// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/batch_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sdv2 {
namespace {

using testing::ElementsAre;

enum Work { kEncode, kDenoise, kDecode };

constexpr int64_t kMs = 1'000'000;

TimedRow row(Work work, int64_t deadline_ms, uint64_t order, double rest_ms = 0) {
  return {.deadline_ns = deadline_ms * kMs,
          .order = order,
          .work = work,
          .batchable = work == kDenoise,
          .feeds = work == kEncode ? kDenoise : -1,
          .rest_s = rest_ms * 1e-3,
          .rest_here_s = rest_ms * 1e-3};
}

// A denoising forward takes fixed + each · rows milliseconds, the others 1 ms.
struct Costs {
  double fixed_ms = 8, each_ms = 2;
  double seconds(const TimedRow& row, size_t rows) const {
    return row.work == kDenoise ? (fixed_ms + each_ms * static_cast<double>(rows)) * 1e-3 : 1e-3;
  }
};

BatchDecision decide(const std::vector<TimedRow>& rows, const Costs& costs = {}, size_t max_rows = 8) {
  return next_batch(
      0, rows, [&](size_t i, size_t count) { return costs.seconds(rows[i], count); }, max_rows);
}

constexpr Costs kProportional{.fixed_ms = 0, .each_ms = 10};

TEST(BatchPolicy, WhoHasNoDeadlineComesAfterWhoIsLate) {
  std::vector<TimedRow> rows = {row(kDecode, 0, 0), row(kDecode, 1, 1)};
  rows[0].deadline_ns = kNoDeadline;
  EXPECT_THAT(decide(rows).rows, ElementsAre(1));
}

TEST(BatchPolicy, NothingReadyGivesNothing) { EXPECT_THAT(decide({}).rows, ElementsAre()); }

TEST(BatchPolicy, EarliestDeadlineGoesFirst) {
  EXPECT_THAT(decide({row(kDecode, 90, 0), row(kDecode, 50, 1), row(kEncode, 70, 2)}).rows, ElementsAre(1));
}

TEST(BatchPolicy, WithoutDeadlinesTheOldestGoesFirst) {
  std::vector<TimedRow> rows = {row(kDecode, 0, 5), row(kDecode, 0, 3)};
  for (TimedRow& each : rows) each.deadline_ns = kNoDeadline;
  EXPECT_THAT(decide(rows).rows, ElementsAre(1));
}

TEST(BatchPolicy, RowsShareAForwardWhenThatIsFasterAndInTime) {
  EXPECT_THAT(decide({row(kDenoise, 100, 0), row(kDenoise, 90, 1), row(kDenoise, 95, 2)}).rows,
              ElementsAre(1, 2, 0));
}

TEST(BatchPolicy, ProportionalCostsAreNotBatched) {
  EXPECT_THAT(decide({row(kDenoise, 100, 0), row(kDenoise, 90, 1)}, kProportional).rows, ElementsAre(1));
}

TEST(BatchPolicy, ABatchStaysSmallEnoughForItsMostUrgentRow) {
  // Alone 10 ms, with one partner 12, with two 14.
  EXPECT_THAT(decide({row(kDenoise, 13, 0), row(kDenoise, 90, 1), row(kDenoise, 95, 2)}).rows,
              ElementsAre(0, 1));
}

TEST(BatchPolicy, ABatchLeavesTimeForTheRowsThatDoNotJoin) {
  // The decoder row needs to run by 12 ms: one row (10 ms) leaves time for it, two (12 ms) do not.
  const auto decision = decide({row(kDenoise, 11, 0), row(kDenoise, 90, 1), row(kDecode, 12, 2)});
  EXPECT_THAT(decision.rows, ElementsAre(0));
}

TEST(BatchPolicy, RestOfTheChainCounts) {
  // 12 ms for two rows and 20 ms after that would be late.
  EXPECT_THAT(decide({row(kDenoise, 31, 0, 20), row(kDenoise, 90, 1)}).rows, ElementsAre(0));
}

TEST(BatchPolicy, OtherSizesAndWorkDoNotJoin) {
  std::vector<TimedRow> rows = {row(kDenoise, 80, 0), row(kDenoise, 90, 1), row(kDenoise, 95, 2)};
  rows[1].shape = 7;
  rows[2].batchable = false;
  EXPECT_THAT(decide(rows).rows, ElementsAre(0));
}

TEST(BatchPolicy, NoMoreRowsThanAllowed) {
  std::vector<TimedRow> rows;
  for (uint64_t i = 0; i < 9; ++i) rows.push_back(row(kDenoise, 500, i));
  EXPECT_EQ(decide(rows, {}, 4).rows.size(), 4u);
  EXPECT_EQ(decide(rows, {}, 1).rows.size(), 1u);
}

TEST(BatchPolicy, EncodersRunFirstSoThatRowsMeet) {
  EXPECT_THAT(decide({row(kDenoise, 80, 0), row(kEncode, 90, 1, 13)}).rows, ElementsAre(1));
}

TEST(BatchPolicy, ButNotWhenTheUrgentRowWouldBeLate) {
  EXPECT_THAT(decide({row(kDenoise, 11, 0), row(kEncode, 90, 1, 13)}).rows, ElementsAre(0));
}

TEST(BatchPolicy, AndNotWhenNothingIsGained) {
  EXPECT_THAT(decide({row(kDenoise, 80, 0), row(kEncode, 90, 1, 13)}, kProportional).rows, ElementsAre(0));
}

TEST(BatchPolicy, ALostChunkDoesNotTakeOthersWithIt) {
  const auto decision = decide({row(kDecode, 0, 0), row(kDecode, 1, 1)});
  EXPECT_THAT(decision.rows, ElementsAre(1));
  EXPECT_FALSE(decision.deadlines_hold);
}

TEST(BatchPolicy, WhenNotAllCanHoldPriorityDecides) {
  std::vector<TimedRow> rows = {row(kDecode, 1, 0), row(kDecode, 1, 1)};
  rows[1].priority = 1;
  EXPECT_THAT(decide(rows).rows, ElementsAre(1));
  for (TimedRow& each : rows) each.deadline_ns = -1;  // both lost
  EXPECT_THAT(decide(rows).rows, ElementsAre(1));
}

TEST(BatchPolicy, PriorityDoesNotDelayAnybodyWhileAllHold) {
  std::vector<TimedRow> rows = {row(kDecode, 50, 0), row(kDecode, 60, 1)};
  rows[1].priority = 1;
  EXPECT_THAT(decide(rows).rows, ElementsAre(0));
}

TEST(BatchPolicy, AttainableRowsFollowTheSlack) {
  EXPECT_EQ(attainable_rows(0.3, 80, 8), 8);
  EXPECT_EQ(attainable_rows(0.1, 80, 8), 4);
  EXPECT_EQ(attainable_rows(-1, 80, 8), 1);
  EXPECT_EQ(attainable_rows(0.3, 0, 8), 1);
}

// A set of single-segment chunks that one device can serve in time, run to the end by the policy: nobody is
// late, whatever the batching.
TEST(BatchPolicy, WhatIsFeasibleWithoutBatchingStaysInTime) {
  std::mt19937 random(5);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  for (int trial = 0; trial < 300; ++trial) {
    const Costs costs{.fixed_ms = static_cast<double>(draw(0, 10)),
                      .each_ms = static_cast<double>(draw(1, 5))};
    // Deadlines just as an unbatched run by deadline needs them, or later.
    std::vector<TimedRow> rows;
    double end_ms = 0;
    for (uint64_t i = 0; i < 8; ++i) {
      TimedRow next = row(static_cast<Work>(draw(0, 1) ? kDenoise : kDecode), 0, i);
      end_ms += costs.seconds(next, 1) * 1e3;
      next.deadline_ns = static_cast<int64_t>((end_ms + draw(0, 20)) * 1e6) + 1000;
      rows.push_back(next);
    }
    std::shuffle(rows.begin(), rows.end(), random);
    int64_t now = 0;
    while (!rows.empty()) {
      const auto cost = [&](size_t i, size_t count) { return costs.seconds(rows[i], count); };
      const auto decision = next_batch(now, rows, cost, 4);
      ASSERT_FALSE(decision.rows.empty());
      now += seconds_to_ns(cost(decision.rows.front(), decision.rows.size()));
      for (const size_t i : decision.rows) EXPECT_LE(now, rows[i].deadline_ns) << trial;
      std::vector<size_t> gone = decision.rows;
      std::sort(gone.rbegin(), gone.rend());
      for (const size_t i : gone) rows.erase(rows.begin() + static_cast<long>(i));
    }
  }
}

}  // namespace
}  // namespace sdv2
