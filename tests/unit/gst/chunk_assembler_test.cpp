// SPDX-License-Identifier: LGPL-2.1-or-later
// Chunk numbering and the chunk queue.
#include "chunk/chunk_assembler.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chunk/chunk_queue.h"

namespace sdv2 {
namespace {

TEST(ChunkAssembler, FirstChunkHasOneFrameMore) {
  ChunkAssembler assembler({.first = 5, .next = 4});
  std::string places;
  for (int i = 0; i < 11; ++i) {
    const ChunkTag tag = assembler.add();
    EXPECT_EQ(tag.frame, static_cast<uint64_t>(i));
    EXPECT_EQ(tag.first, i < 5);
    EXPECT_EQ(tag.size, i < 5 ? 5u : 4u);
    places += std::to_string(tag.chunk) + "." + std::to_string(tag.index) + " ";
    EXPECT_EQ(assembler.open(), i != 4 && i != 8);
  }
  EXPECT_EQ(places, "0.0 0.1 0.2 0.3 0.4 1.0 1.1 1.2 1.3 2.0 2.1 ");
}

TEST(ChunkAssembler, CloseEndsOnlyAnOpenChunk) {
  ChunkAssembler assembler({.first = 2, .next = 3});
  EXPECT_FALSE(assembler.close());
  assembler.add();
  EXPECT_TRUE(assembler.first());
  const auto partial = assembler.close();
  ASSERT_TRUE(partial);
  EXPECT_EQ(partial->chunk, 0u);
  EXPECT_EQ(partial->frames, 1u);
  EXPECT_FALSE(assembler.open());
  const ChunkTag next = assembler.add();
  EXPECT_EQ(next.chunk, 1u);
  EXPECT_EQ(next.size, 3u);
  assembler.add();
  assembler.add();
  EXPECT_FALSE(assembler.close());
}

TEST(ChunkAssembler, RestartMakesAFirstChunkAndKeepsCounting) {
  ChunkAssembler assembler({.first = 2, .next = 1});
  for (int i = 0; i < 3; ++i) assembler.add();
  assembler.restart();
  const ChunkTag tag = assembler.add();
  EXPECT_TRUE(tag.first);
  EXPECT_EQ(tag.chunk, 2u);
  EXPECT_EQ(tag.frame, 3u);
  EXPECT_EQ(tag.size, 2u);
}

using Queue = ChunkQueue<std::string>;

// Appends `frames` frames of the assembler, named by their numbers.
void push(Queue& queue, ChunkAssembler& assembler, int frames) {
  for (int i = 0; i < frames; ++i) {
    const ChunkTag tag = assembler.add();
    queue.push_frame(tag, std::to_string(tag.frame));
  }
}

// What is in the queue, front first; "!" before frames after a loss.
std::string drain(Queue& queue) {
  std::string text;
  while (auto entry = queue.pop()) text += (entry->discontinuity ? "!" : "") + entry->payload + " ";
  return text;
}

TEST(ChunkQueue, KeepsOrder) {
  Queue queue;
  ChunkAssembler assembler({.first = 2, .next = 2});
  queue.push_other("caps");
  push(queue, assembler, 1);
  queue.push_other("tag");
  push(queue, assembler, 2);
  EXPECT_EQ(queue.frames(), 3u);
  EXPECT_EQ(queue.waiting_chunks(), 2u);
  EXPECT_EQ(queue.front()->payload, "caps");
  EXPECT_EQ(drain(queue), "caps 0 tag 1 2 ");
  EXPECT_EQ(queue.frames(), 0u);
  EXPECT_EQ(queue.waiting_chunks(), 0u);
  EXPECT_EQ(queue.front(), nullptr);
}

TEST(ChunkQueue, AChunkWaitsUntilItsFirstFrameLeaves) {
  Queue queue;
  ChunkAssembler assembler({.first = 2, .next = 2});
  push(queue, assembler, 4);
  EXPECT_EQ(queue.waiting_chunks(), 2u);
  queue.pop();
  EXPECT_EQ(queue.waiting_chunks(), 1u);
  queue.pop();
  EXPECT_EQ(queue.waiting_chunks(), 1u);
  queue.pop();
  EXPECT_EQ(queue.waiting_chunks(), 0u);
}

TEST(ChunkQueue, DropsTheOldestChunkWholeAndKeepsWhatStandsBetween) {
  Queue queue;
  ChunkAssembler assembler({.first = 1, .next = 3});
  push(queue, assembler, 1);
  queue.pop();
  push(queue, assembler, 2);
  queue.push_other("event");
  push(queue, assembler, 4);
  const auto dropped = queue.drop_oldest_chunk();
  ASSERT_EQ(dropped.size(), 3u);
  EXPECT_EQ(dropped[0].payload, "1");
  EXPECT_EQ(dropped[2].payload, "3");
  EXPECT_EQ(queue.frames(), 3u);
  EXPECT_EQ(queue.waiting_chunks(), 1u);
  EXPECT_EQ(drain(queue), "event !4 5 6 ");
}

TEST(ChunkQueue, NeverDropsAChunkThatIsLeaving) {
  Queue queue;
  ChunkAssembler assembler({.first = 3, .next = 3});
  push(queue, assembler, 6);
  queue.pop();
  EXPECT_EQ(queue.drop_oldest_chunk().size(), 3u);
  EXPECT_TRUE(queue.drop_oldest_chunk().empty());
  push(queue, assembler, 1);
  EXPECT_EQ(drain(queue), "1 2 !6 ");
}

TEST(ChunkQueue, NeverDropsASessionsFirstChunk) {
  Queue queue;
  ChunkAssembler assembler({.first = 2, .next = 2});
  push(queue, assembler, 2);
  EXPECT_TRUE(queue.drop_oldest_chunk().empty());
  push(queue, assembler, 2);
  EXPECT_EQ(queue.drop_oldest_chunk().size(), 2u);
  EXPECT_EQ(drain(queue), "0 1 ");
}

TEST(ChunkQueue, DropsTheEndOfAPartialChunkWithIt) {
  Queue queue;
  ChunkAssembler assembler({.first = 1, .next = 3});
  push(queue, assembler, 3);
  queue.push_chunk_end(assembler.close()->chunk, "end");
  push(queue, assembler, 3);
  queue.drop_oldest_chunk();
  EXPECT_EQ(drain(queue), "0 !3 4 5 ");
}

TEST(ChunkQueue, ClearReturnsEverythingAndForgetsLosses) {
  Queue queue;
  ChunkAssembler assembler({.first = 1, .next = 1});
  push(queue, assembler, 2);
  queue.push_other("event");
  queue.mark_discontinuity();
  EXPECT_EQ(queue.clear().size(), 3u);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.waiting_chunks(), 0u);
  push(queue, assembler, 1);
  EXPECT_EQ(drain(queue), "2 ");
}

TEST(ChunkQueue, TakesOutOtherEntriesOnly) {
  Queue queue;
  ChunkAssembler assembler({.first = 1, .next = 1});
  push(queue, assembler, 1);
  queue.push_other("query");
  EXPECT_FALSE(queue.take_other([](const std::string& payload) { return payload == "0"; }));
  EXPECT_TRUE(queue.take_other([](const std::string& payload) { return payload == "query"; }));
  EXPECT_EQ(drain(queue), "0 ");
}

}  // namespace
}  // namespace sdv2
