// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform's order of frames, and which chunk of the engine is which.
#include "transform/slot_timeline.h"

#include <gtest/gtest.h>

#include <string>

#include "transform/chunk_ledger.h"

namespace sdv2 {
namespace {

using Timeline = SlotTimeline<std::string>;

std::string drain(Timeline& timeline) {
  std::string all;
  while (const auto entry = timeline.pop()) all += entry->payload + " ";
  return all;
}

TEST(SlotTimeline, KeepsOrderWhateverIsSettledFirst) {
  Timeline timeline;
  const uint64_t a = timeline.begin_chunk();
  timeline.push_frame(a, "a0");
  timeline.push_other("event");
  timeline.push_frame(a, "a1");
  timeline.end_chunk(a);
  const uint64_t b = timeline.begin_chunk();
  timeline.push_frame(b, "b0");
  timeline.end_chunk(b);
  timeline.push_settled({Outcome::kSource, "x"}, "s");
  EXPECT_EQ(timeline.head(), Timeline::Head::kPending);
  EXPECT_EQ(timeline.frames(), 4u);
  EXPECT_TRUE(timeline.settle(b, {}));
  EXPECT_EQ(drain(timeline), "");
  EXPECT_TRUE(timeline.settle(a, {}));
  EXPECT_EQ(drain(timeline), "a0 event a1 b0 s ");
  EXPECT_EQ(timeline.head(), Timeline::Head::kEmpty);
  EXPECT_EQ(timeline.frames(), 0u);
}

TEST(SlotTimeline, TheFirstWordCounts) {
  Timeline timeline;
  const uint64_t a = timeline.begin_chunk();
  timeline.push_frame(a, "a0");
  EXPECT_TRUE(timeline.settle(a, {Outcome::kRepeat, "late"}));
  EXPECT_FALSE(timeline.settle(a, {Outcome::kTransformed, nullptr}));
  const auto entry = timeline.pop();
  EXPECT_EQ(entry->settled.outcome, Outcome::kRepeat);
  timeline.push_frame(a, "a1");  // a chunk that is settled may still grow
  EXPECT_EQ(timeline.pop()->index, 1u);
  timeline.end_chunk(a);
  EXPECT_FALSE(timeline.settle(a, {}));
}

TEST(SlotTimeline, WhatIsSettledAfterClearFindsNothing) {
  Timeline timeline;
  const uint64_t a = timeline.begin_chunk();
  timeline.push_frame(a, "a0");
  EXPECT_EQ(timeline.clear().size(), 1u);
  EXPECT_FALSE(timeline.settle(a, {}));
  timeline.end_chunk(a);
  const uint64_t b = timeline.begin_chunk();
  EXPECT_NE(a, b);
  timeline.push_frame(b, "b0");
  EXPECT_EQ(timeline.head(), Timeline::Head::kPending);
}

TEST(SlotTimeline, SettleAllLeavesWhatIsSettled) {
  Timeline timeline;
  const uint64_t a = timeline.begin_chunk();
  const uint64_t b = timeline.begin_chunk();
  timeline.push_frame(a, "a0");
  timeline.push_frame(b, "b0");
  timeline.settle(a, {});
  timeline.settle_all({Outcome::kDrop, "error"});
  EXPECT_EQ(timeline.pop()->settled.outcome, Outcome::kTransformed);
  EXPECT_EQ(timeline.pop()->settled.outcome, Outcome::kDrop);
}

TEST(SlotTimeline, TakesOutOthersByWhatTheyAre) {
  Timeline timeline;
  timeline.push_other("x");
  timeline.push_other("query");
  EXPECT_TRUE(timeline.take_other([](const std::string& s) { return s == "query"; }));
  EXPECT_FALSE(timeline.take_other([](const std::string& s) { return s == "query"; }));
  EXPECT_EQ(drain(timeline), "x ");
}

TEST(ChunkLedger, RoomIsHeldFromTheFirstFrameUntilItIsGivenBack) {
  ChunkLedger ledger;
  ledger.begin(1);
  EXPECT_EQ(ledger.held(), 1u);
  EXPECT_FALSE(ledger.number(1));
  EXPECT_FALSE(ledger.submitted(1, 10, 2));
  EXPECT_EQ(ledger.number(1), 10);
  const auto finished = ledger.finished(10, {});
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->chunk, 1u);
  ledger.frame_left(1);
  EXPECT_FALSE(ledger.any_releasable());
  ledger.frame_left(1);
  EXPECT_EQ(ledger.take_releasable(), std::vector<int64_t>{10});
  EXPECT_EQ(ledger.held(), 1u);
  ledger.released(1);
  EXPECT_EQ(ledger.held(), 0u);
}

TEST(ChunkLedger, TheEngineMayBeFasterThanTheCallThatSubmits) {
  ChunkLedger ledger;
  ledger.begin(1);
  ChunkResult result;
  result.code = 3;
  EXPECT_FALSE(ledger.finished(10, result));
  const auto finished = ledger.submitted(1, 10, 1);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->result.code, 3);
  ledger.frame_left(1);
  EXPECT_TRUE(ledger.any_releasable());
}

TEST(ChunkLedger, FramesMayLeaveBeforeTheirChunkIsFinishedOrSubmitted) {
  ChunkLedger ledger;
  ledger.begin(1);
  ledger.frame_left(1);  // a late frame that was dropped
  EXPECT_FALSE(ledger.submitted(1, 10, 2));
  ledger.frame_left(1);
  EXPECT_FALSE(ledger.any_releasable());
  EXPECT_TRUE(ledger.finished(10, {}));
  EXPECT_TRUE(ledger.any_releasable());
}

TEST(ChunkLedger, ForgetsWhatWasAbandonedAndCleared) {
  ChunkLedger ledger;
  ledger.begin(1);
  ledger.abandon(1);
  EXPECT_EQ(ledger.held(), 0u);
  ledger.begin(2);
  ledger.submitted(2, 11, 1);
  ledger.clear();
  EXPECT_EQ(ledger.held(), 0u);
  ledger.frame_left(2);
  ledger.released(1);
  EXPECT_EQ(ledger.held(), 0u);
}

}  // namespace
}  // namespace sdv2
