// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/policy.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

using Kind = Segment::Kind;

ReadyRow row(uint64_t session, uint64_t order, Kind kind, Execution execution = Execution::kThroughput) {
  return {.session = session,
          .order = order,
          .segment = static_cast<int>(kind),
          .kind = kind,
          .batch_class = static_cast<int>(kind),
          .shape = 1,
          .execution = execution};
}

std::vector<size_t> pick(const std::vector<ReadyRow>& rows, size_t max_rows = 8) {
  return next_batch(rows, max_rows);
}

TEST(Policy, NothingReadyGivesNothing) { EXPECT_TRUE(pick({}).empty()); }

TEST(Policy, WavefrontTakesAllStepsTogether) {
  EXPECT_EQ(pick({row(1, 0, Kind::kDenoise), row(1, 1, Kind::kDenoise), row(1, 2, Kind::kDenoise)}),
            (std::vector<size_t>{0, 1, 2}));
}

TEST(Policy, DepthFirstTakesOnlyTheOldest) {
  EXPECT_EQ(
      pick({row(1, 7, Kind::kDenoise, Execution::kLatency), row(1, 3, Kind::kDenoise, Execution::kLatency)}),
      (std::vector<size_t>{1}));
}

TEST(Policy, DepthFirstFinishesAChunkBeforeItBeginsAnother) {
  EXPECT_EQ(
      pick({row(1, 0, Kind::kDecode, Execution::kLatency), row(1, 1, Kind::kEncode, Execution::kLatency)}),
      (std::vector<size_t>{0}));
}

TEST(Policy, WavefrontEncodesFirstSoThatRowsMeet) {
  EXPECT_EQ(pick({row(1, 0, Kind::kDenoise), row(1, 1, Kind::kEncode)}), (std::vector<size_t>{1}));
}

TEST(Policy, AutoIsDepthFirstForALoneChunk) {
  EXPECT_EQ(pick({row(1, 0, Kind::kDenoise, Execution::kAuto)}), (std::vector<size_t>{0}));
}

TEST(Policy, AutoBatchesWhenChunksQueueUp) {
  EXPECT_EQ(pick({row(1, 1, Kind::kDenoise, Execution::kAuto), row(2, 0, Kind::kDenoise, Execution::kAuto)}),
            (std::vector<size_t>{1, 0}));
}

TEST(Policy, EarlierDeadlineGoesFirst) {
  std::vector<ReadyRow> rows = {row(1, 0, Kind::kEncode), row(2, 1, Kind::kEncode)};
  rows[1].deadline_ns = 5;
  EXPECT_EQ(pick(rows), (std::vector<size_t>{1}));
}

TEST(Policy, OtherShapesAndClassesAreNotBatched) {
  std::vector<ReadyRow> rows = {row(1, 0, Kind::kDenoise), row(2, 1, Kind::kDenoise),
                                row(3, 2, Kind::kDenoise)};
  rows[1].shape = 2;
  rows[2].batch_class = 9;
  EXPECT_EQ(pick(rows), (std::vector<size_t>{0}));
}

TEST(Policy, KeepsToTheLargestBatch) {
  EXPECT_EQ(pick({row(1, 0, Kind::kDenoise), row(2, 1, Kind::kDenoise), row(3, 2, Kind::kDenoise)}, 2),
            (std::vector<size_t>{0, 1}));
}

TEST(Policy, AutoencodersRunAlone) {
  EXPECT_EQ(pick({row(1, 0, Kind::kEncode), row(2, 1, Kind::kEncode)}), (std::vector<size_t>{0}));
  EXPECT_EQ(pick({row(1, 0, Kind::kDecode), row(2, 1, Kind::kDecode)}), (std::vector<size_t>{0}));
}

}  // namespace
}  // namespace sdv2
