// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/fifo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kMs = 1'000'000;

FifoRow row(int64_t arrival_ms, uint64_t stream, int step) {
  return {.arrival_ns = arrival_ms * kMs,
          .capture_ns = (arrival_ms - 125) * kMs,
          .stream = stream,
          .work = step >= 0 ? 1 : 0,
          .step = step,
          .period_ns = 167 * kMs};
}

TEST(Fifo, WithoutBatchingTheOldestRunsAlone) {
  EXPECT_THAT(no_batching(std::vector{row(5, 0, 0), row(3, 1, 0)}).rows, ElementsAre(1));
  EXPECT_THAT(no_batching({}).rows, IsEmpty());
}

TEST(Fifo, StaticBatchingWaitsForItsNumber) {
  const std::vector two{row(5, 0, 0), row(3, 1, 0)};
  const FifoChoice wait = static_batching(10 * kMs, two, 3);
  EXPECT_THAT(wait.rows, IsEmpty());
  EXPECT_EQ(wait.look_again_ns, (3 + 2 * 167) * kMs);
  EXPECT_THAT(static_batching(10 * kMs, two, 2).rows, ElementsAre(1, 0));
  EXPECT_THAT(static_batching(wait.look_again_ns, two, 3).rows, ElementsAre(1, 0));
}

TEST(Fifo, StaticBatchingDoesOtherWorkMeanwhile) {
  EXPECT_THAT(static_batching(10 * kMs, std::vector{row(3, 0, 0), row(5, 1, -1)}, 2).rows, ElementsAre(1));
}

TEST(Fifo, StaticBatchingFillsItsBatchesUnderABacklogToo) {
  EXPECT_THAT(static_batching(9000 * kMs, std::vector{row(3, 0, 0), row(5, 1, -1)}, 2).rows, ElementsAre(1));
}

TEST(Fifo, AYoungChunksSecondStepWaitsForTheNextChunk) {
  const FifoChoice wait = wait_threshold(200 * kMs, std::vector{row(130, 0, 1)});
  EXPECT_THAT(wait.rows, IsEmpty());
  EXPECT_EQ(wait.look_again_ns, 505 * kMs);
  EXPECT_THAT(wait_threshold(300 * kMs, std::vector{row(130, 0, 1), row(297, 0, 0)}).rows, ElementsAre(0, 1));
  EXPECT_THAT(wait_threshold(300 * kMs, std::vector{row(130, 0, 1), row(297, 1, 0)}).rows, ElementsAre(1));
}

TEST(Fifo, AnOldChunkRunsThroughAlone) {
  EXPECT_THAT(wait_threshold(505 * kMs, std::vector{row(130, 0, 1), row(297, 0, 0)}).rows, ElementsAre(0));
}

}  // namespace
}  // namespace sdv2::sim
