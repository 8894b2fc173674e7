// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/block_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sdv2 {

void PrintTo(const BlockRange& range, std::ostream* out) {
  *out << "[" << range.begin << "," << range.end << ")";
}

namespace {

using testing::HasSubstr;
using Ranges = std::vector<BlockRange>;
using Times = std::vector<double>;

Ranges rebalanced(const Times& total, const Times& blocks, const Ranges& current) {
  auto ranges = rebalance_blocks(total, blocks, current);
  EXPECT_TRUE(ranges.ok()) << ranges.error().message;
  return *ranges;
}

TEST(DefaultBlockSplit, SharesEqually) {
  EXPECT_EQ(default_block_split(40, 4), (Ranges{{0, 10}, {10, 20}, {20, 30}, {30, 40}}));
  EXPECT_EQ(default_block_split(30, 1), (Ranges{{0, 30}}));
}

TEST(DefaultBlockSplit, GivesTheRemainderToTheFirstStages) {
  EXPECT_EQ(default_block_split(30, 4), (Ranges{{0, 8}, {8, 16}, {16, 23}, {23, 30}}));
}

TEST(DefaultBlockSplit, GivesTheOddBlockToTheSecondOfTwoStages) {
  EXPECT_EQ(default_block_split(31, 2), (Ranges{{0, 15}, {15, 31}}));
}

TEST(DefaultBlockSplit, LeavesStagesEmptyWhenBlocksRunOut) {
  EXPECT_EQ(default_block_split(2, 3), (Ranges{{0, 1}, {1, 2}, {2, 2}}));
}

TEST(RebalanceBlocks, MovesBlocksFromSlowStages) {
  EXPECT_EQ(rebalanced({0.10, 0.06}, {0.05, 0.05}, {{0, 15}, {15, 30}}), (Ranges{{0, 9}, {9, 30}}));
  EXPECT_EQ(rebalanced({0.045, 0.05}, {0.04, 0.03}, {{0, 15}, {15, 30}}), (Ranges{{0, 16}, {16, 30}}));
  EXPECT_EQ(
      rebalanced({0.12, 0.08, 0.08, 0.16}, {0.08, 0.08, 0.08, 0.08}, {{0, 10}, {10, 20}, {20, 30}, {30, 40}}),
      (Ranges{{0, 9}, {9, 23}, {23, 36}, {36, 40}}));
}

TEST(RebalanceBlocks, LeavesEveryStageABlock) {
  EXPECT_EQ(rebalanced({0.060, 0.030, 0.030, 0.080}, {0.030, 0.030, 0.028, 0.028},
                       {{0, 8}, {8, 16}, {16, 23}, {23, 30}}),
            (Ranges{{0, 5}, {5, 17}, {17, 29}, {29, 30}}));
  EXPECT_EQ(rebalanced({0.5, 0.01}, {0.01, 0.01}, {{0, 15}, {15, 30}}), (Ranges{{0, 1}, {1, 30}}));
}

TEST(RebalanceBlocks, RoundsHalvesToEven) {
  // One unit of time per block, mean 6: the stages want 4.5 and 5.5 blocks. To even that is 4 and 6, which
  // add up; halves rounded up would be 5 and 6, and the second stage would lose one: 5 and 5.
  EXPECT_EQ(rebalanced({6.5, 5.5}, {5, 5}, {{0, 5}, {5, 10}}), (Ranges{{0, 4}, {4, 10}}));
}

TEST(RebalanceBlocks, LeavesABalancedSplitAlone) {
  EXPECT_EQ(rebalanced({1, 1, 1}, {1, 1, 1}, {{0, 10}, {10, 20}, {20, 30}}),
            (Ranges{{0, 10}, {10, 20}, {20, 30}}));
}

TEST(RebalanceBlocks, ChangesNothingWithMoreStagesThanBlocks) {
  EXPECT_EQ(rebalanced({9, 1, 1}, {9, 1, 1}, {{0, 1}, {1, 2}, {2, 2}}), (Ranges{{0, 1}, {1, 2}, {2, 2}}));
}

TEST(RebalanceBlocks, SurvivesWildTimes) {
  const Ranges ranges = rebalanced({1e300, 0, 1}, {1e-300, 0, 0}, {{0, 10}, {10, 20}, {20, 30}});
  EXPECT_EQ(ranges.front().size(), 1);
  EXPECT_EQ(ranges.back().end, 30);
  for (const auto& range : ranges) EXPECT_GE(range.size(), 1);
}

TEST(RebalanceBlocks, RefusesWhatIsNotASplit) {
  const Times two = {1, 1};
  struct Case {
    Times total, blocks;
    Ranges current;
    const char* message;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [total, blocks, current, message] : {
           Case{two, two, {{0, 15}, {16, 30}}, "range 1"},
           Case{two, two, {{1, 15}, {15, 30}}, "range 0"},
           Case{two, two, {{0, 15}, {15, 14}}, "range 1"},
           Case{{1}, two, {{0, 15}, {15, 30}}, "1 total"},
           Case{{}, {}, {}, "0 ranges"},
           Case{{1, infinity}, two, {{0, 15}, {15, 30}}, "stage 1"},
           Case{two, {-1, 1}, {{0, 15}, {15, 30}}, "stage 0"},
           Case{two, {0, 0}, {{0, 15}, {15, 30}}, "no time"},
       }) {
    const auto ranges = rebalance_blocks(total, blocks, current);
    ASSERT_FALSE(ranges.ok()) << message;
    EXPECT_EQ(ranges.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(ranges.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace sdv2
