// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/chunk_queue.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

std::vector<int64_t> numbers(const std::vector<WaitingChunk>& chunks) {
  std::vector<int64_t> numbers;
  for (const WaitingChunk& chunk : chunks) numbers.push_back(chunk.chunk);
  return numbers;
}

TEST(ChunkQueue, NeverHoldsMoreThanItsCapacity) {
  ChunkQueue queue(2);
  std::vector<int64_t> gone;
  for (int64_t chunk = 0; chunk < 5; ++chunk) {
    for (const int64_t old : numbers(queue.push({chunk, 100}))) gone.push_back(old);
    EXPECT_LE(queue.size(), 2u);
  }
  EXPECT_EQ(gone, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(queue.pop().chunk, 3);
  EXPECT_EQ(queue.pop().chunk, 4);
  EXPECT_TRUE(queue.empty());
}

TEST(ChunkQueue, GivesUpWhatCannotBeInTime) {
  ChunkQueue queue(8);
  for (int64_t chunk = 0; chunk < 4; ++chunk) queue.push({chunk, 1'000'000'000 + chunk * 100'000'000});
  EXPECT_TRUE(queue.expire(0, 1.0).empty());
  EXPECT_EQ(numbers(queue.expire(0, 1.15)), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(queue.front().chunk, 2);
}

TEST(ChunkQueue, ChunksWithoutDeadlineDoNotExpire) {
  ChunkQueue queue(1);
  queue.push({});
  EXPECT_TRUE(queue.expire(kNoDeadline - 1, 100).empty());
}

}  // namespace
}  // namespace sdv2
