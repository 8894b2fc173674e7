// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/kv_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace sdv2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Slots = std::vector<int64_t>;

KvRing make_ring(const KvRingConfig& config) { return *KvRing::create(config); }

// Runs a chunk without adaptive sinks.
KvRing::Position next_chunk(KvRing& ring, int64_t frames) {
  auto position = ring.begin_chunk(frames);
  EXPECT_TRUE(position.ok());
  ring.place();
  return *position;
}

TEST(KvRing, FillsThenTurnsBehindTheSinks) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3});
  EXPECT_EQ(next_chunk(ring, 2).start_frame, 0);
  EXPECT_THAT(ring.chunk_slots(), ElementsAre(0, 1));
  EXPECT_EQ(ring.valid_slots(), 2);
  const Slots slots = {2, 3, 4, 5, 3, 4, 5, 3};
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto start = static_cast<int64_t>(i) + 2;
    EXPECT_EQ(next_chunk(ring, 1).start_frame, start);
    EXPECT_THAT(ring.chunk_slots(), ElementsAre(slots[i]));
    EXPECT_EQ(ring.valid_slots(), std::min<int64_t>(6, start + 1));
  }
  EXPECT_THAT(ring.frames(), ElementsAre(0, 1, 2, 9, 7, 8));
}

// The reference never evicts the first three frames whatever the number of sinks is; the engine keeps what it
// is asked to.
TEST(KvRing, KeepsAsManySinksAsAsked) {
  KvRing ring = make_ring({.slots = 5, .sinks = 2});
  next_chunk(ring, 2);
  Slots slots;
  for (int i = 0; i < 7; ++i) {
    next_chunk(ring, 1);
    slots.push_back(ring.chunk_slots().front());
  }
  EXPECT_THAT(slots, ElementsAre(2, 3, 4, 2, 3, 4, 2));
}

TEST(KvRing, AChunkMayTurnAroundTheEnd) {
  KvRing ring = make_ring({.slots = 6, .sinks = 2});
  next_chunk(ring, 4);
  next_chunk(ring, 3);
  EXPECT_THAT(ring.chunk_slots(), ElementsAre(4, 5, 2));
  EXPECT_THAT(ring.frames(), ElementsAre(0, 1, 6, 3, 4, 5));
}

TEST(KvRing, RefreshMakesTheWindowContiguous) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3});
  next_chunk(ring, 2);
  KvRing::Position position;
  for (int64_t start = 2; start < 50; ++start) {
    position = next_chunk(ring, 1);
    ASSERT_EQ(position.start_frame, start);
    ASSERT_THAT(position.moves, IsEmpty());
  }
  const auto slot_of = [&](int64_t frame) {
    return std::find(ring.frames().begin(), ring.frames().end(), frame) - ring.frames().begin();
  };
  const int64_t slot48 = slot_of(48), slot49 = slot_of(49);
  position = next_chunk(ring, 1);
  EXPECT_EQ(position.start_frame, 5);
  EXPECT_THAT(position.moves, ElementsAre(KvRing::Move{slot48, 48, 3}, KvRing::Move{slot49, 49, 4}));
  EXPECT_EQ(std::accumulate(ring.frames().begin(), ring.frames().end(), int64_t{0}), 0 + 1 + 2 + 3 + 4 + 5);
  EXPECT_THAT(Slots(ring.frames().begin(), ring.frames().begin() + 3), ElementsAre(0, 1, 2));
  // From then on every 45 chunks.
  for (int64_t start = 6; start < 50; ++start) EXPECT_EQ(next_chunk(ring, 1).start_frame, start);
  EXPECT_EQ(next_chunk(ring, 1).start_frame, 5);
}

struct Sweep {
  int64_t slots, sinks, frames, first;
};

// Follows a long stream by numbering its frames for ever, beside the ring's own positions.
void run_long_stream(const Sweep& sweep) {
  SCOPED_TRACE(testing::Message() << "K " << sweep.slots << " M " << sweep.sinks << " P " << sweep.frames
                                  << " first " << sweep.first);
  constexpr int64_t kRefreshAt = 50;
  KvRing ring = make_ring({.slots = sweep.slots, .sinks = sweep.sinks, .refresh_at = kRefreshAt});
  Slots stored;     // the stream's frame in each slot
  Slots positions;  // as a caller that applies the moves knows them
  int64_t total = 0;
  for (int chunk = 0; chunk < 200; ++chunk) {
    const int64_t frames = chunk == 0 ? sweep.first : sweep.frames;
    const auto position = next_chunk(ring, frames);
    ASSERT_LT(position.start_frame, kRefreshAt);
    for (const auto& move : position.moves) {
      ASSERT_EQ(positions[static_cast<size_t>(move.slot)], move.from);
      positions[static_cast<size_t>(move.slot)] = move.to;
    }
    const Slots slots = ring.chunk_slots();
    ASSERT_EQ(std::ssize(slots), frames);
    for (int64_t i = 0; i < frames; ++i) {
      const auto slot = static_cast<size_t>(slots[static_cast<size_t>(i)]);
      ASSERT_LE(slot, stored.size());
      if (slot == stored.size()) {
        stored.push_back(0);
        positions.push_back(0);
      } else {
        ASSERT_GE(static_cast<int64_t>(slot), sweep.sinks) << "a sink was overwritten";
      }
      stored[slot] = total + i;
      positions[slot] = position.start_frame + i;
    }
    total += frames;
    ASSERT_EQ(ring.valid_slots(), std::min(total, sweep.slots));
    ASSERT_EQ(ring.frames(), positions);
    // What is kept: the sinks and the newest frames, each once.
    Slots kept = stored;
    std::sort(kept.begin(), kept.end());
    Slots wanted(kept.size());
    const int64_t sinks = std::min(sweep.sinks, std::ssize(kept));
    std::iota(wanted.begin(), wanted.begin() + sinks, 0);
    std::iota(wanted.begin() + sinks, wanted.end(), total - (std::ssize(kept) - sinks));
    ASSERT_EQ(kept, wanted);
    // Positions are in the order of time, and contiguous after a refresh.
    Slots order(stored.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return stored[static_cast<size_t>(a)] < stored[static_cast<size_t>(b)];
    });
    for (size_t i = 1; i < order.size(); ++i) {
      const int64_t step =
          positions[static_cast<size_t>(order[i])] - positions[static_cast<size_t>(order[i - 1])];
      ASSERT_GE(step, 1);
      if (!position.moves.empty()) {
        ASSERT_EQ(step, 1);
      }
    }
  }
}

TEST(KvRing, KeepsSinksAndNewestFramesForEver) {
  for (int64_t slots = 1; slots <= 9; ++slots)
    for (int64_t sinks = 0; sinks < slots; ++sinks)
      for (int64_t frames = 1; frames <= slots - sinks; ++frames)
        for (const int64_t first : {frames, frames + 1})
          if (first <= slots) run_long_stream({slots, sinks, frames, first});
  run_long_stream({21, 0, 3, 3});
  run_long_stream({21, 3, 3, 4});
}

TEST(KvRing, CopiesAreIndependent) {
  KvRing ring = make_ring({});
  next_chunk(ring, 2);
  KvRing copy = ring;
  next_chunk(ring, 1);
  EXPECT_EQ(ring.valid_slots(), 3);
  EXPECT_EQ(copy.valid_slots(), 2);
  next_chunk(copy, 1);
  EXPECT_EQ(copy.frames(), ring.frames());
}

TEST(KvRing, AChunkThatWasBegunMayBeDropped) {
  KvRing ring = make_ring({});
  next_chunk(ring, 2);
  ASSERT_TRUE(ring.begin_chunk(1).ok());
  EXPECT_EQ(next_chunk(ring, 1).start_frame, 2);
  EXPECT_THAT(ring.frames(), ElementsAre(0, 1, 2));
}

// Runs a chunk of one frame; gives each sink that is asked for its similarity.
int64_t adaptive_chunk(KvRing& ring, std::vector<double> similarity) {
  EXPECT_TRUE(ring.begin_chunk(1).ok());
  similarity.resize(static_cast<size_t>(ring.sinks_to_compare()), 1.0);
  ring.place(similarity);
  return ring.chunk_slots().front();
}

TEST(KvRing, ComparesOnlyFilledSinks) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3, .sink_threshold = 0.2});
  ASSERT_TRUE(ring.begin_chunk(2).ok());
  EXPECT_EQ(ring.sinks_to_compare(), 0);
  ring.place();
  ASSERT_TRUE(ring.begin_chunk(1).ok());
  EXPECT_EQ(ring.sinks_to_compare(), 2);  // slot 2 is still empty
  ring.place(std::vector<double>{0.5, 0.5});
  ASSERT_TRUE(ring.begin_chunk(1).ok());
  EXPECT_EQ(ring.sinks_to_compare(), 3);
  ring.place(std::vector<double>{0.5, 0.5, 0.5});
  ASSERT_TRUE(ring.begin_chunk(2).ok());
  EXPECT_EQ(ring.sinks_to_compare(), 0);  // chunks of several frames are not compared
  ring.place();
}

TEST(KvRing, ReplacesTheLeastSimilarSinkInsteadOfTheOldestFrame) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3, .sink_threshold = 0.2});
  next_chunk(ring, 2);
  for (int64_t slot = 2; slot < 6; ++slot) EXPECT_EQ(adaptive_chunk(ring, {}), slot);
  EXPECT_EQ(adaptive_chunk(ring, {0.1, 0.05, 0.9}), 1);
  EXPECT_THAT(ring.frames(), ElementsAre(0, 6, 2, 3, 4, 5));
  EXPECT_EQ(adaptive_chunk(ring, {0.2, 0.3, 0.9}), 3);  // not below the threshold; the ring had not advanced
  EXPECT_EQ(adaptive_chunk(ring, {0.1, 0.1, 0.9}), 0);  // the first of equals
  EXPECT_EQ(adaptive_chunk(ring, {}), 4);
}

TEST(KvRing, OneReplacementWaitsUntilTheCacheIsFull) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3, .sink_threshold = 0.2});
  next_chunk(ring, 2);
  EXPECT_EQ(adaptive_chunk(ring, {}), 2);
  EXPECT_EQ(adaptive_chunk(ring, {0.1, 0.5, 0.5}), 3);
  EXPECT_EQ(adaptive_chunk(ring, {0.5, 0.5, 0.1}), 4);  // takes the place of the one before
  EXPECT_EQ(adaptive_chunk(ring, {}), 5);
  EXPECT_EQ(adaptive_chunk(ring, {}), 2);
  EXPECT_EQ(adaptive_chunk(ring, {}), 3);
}

// Who has the similarities only later finds the same slot.
TEST(KvRing, TellsWhatDecidesOverTheSlot) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3, .sink_threshold = 0.2});
  next_chunk(ring, 2);
  const std::vector<std::vector<double>> similarities = {
      {},        {0.1, 0.5, 0.5}, {},        {},        {0.5, 0.5, 0.1}, {}, {0.3, 0.1, 0.1}, {0.1, 0.5, 0.5},
      {1, 1, 1}, {1, 1, 0.1},     {1, 1, 1}, {1, 1, 1}, {0.1, 0.1, 0.1}};
  for (std::vector<double> similarity : similarities) {
    ASSERT_TRUE(ring.begin_chunk(1).ok());
    similarity.resize(static_cast<size_t>(ring.sinks_to_compare()), 1.0);
    const KvRing::Choice choice = ring.choice();
    std::optional<int64_t> replaced = choice.pending_sink;
    const auto least = std::min_element(similarity.begin(), similarity.end());
    if (*least < choice.threshold) replaced = least - similarity.begin();
    ring.place(similarity);
    EXPECT_THAT(ring.chunk_slots(), ElementsAre(choice.full && replaced ? *replaced : choice.next_slot));
    EXPECT_EQ(ring.valid_slots(), choice.valid_slots);
  }
}

TEST(KvRing, RefreshAlignsAReplacedSinkToo) {
  KvRing ring = make_ring({.slots = 6, .sinks = 3, .sink_threshold = 0.2});
  next_chunk(ring, 2);
  for (int64_t start = 2; start < 50; ++start)
    adaptive_chunk(ring, start == 30 ? std::vector<double>{0.9, 0.1, 0.9} : std::vector<double>{});
  ASSERT_EQ(ring.frames()[1], 30);
  const auto position = ring.begin_chunk(1);
  ASSERT_TRUE(position.ok());
  EXPECT_EQ(ring.sinks_to_compare(), 0);  // a refresh takes the slot that is next in turn
  EXPECT_EQ(position->start_frame, 5);
  ring.place();
  // Frames 0, 2, 30, 48, 49 and the new one.
  EXPECT_EQ(ring.frames()[0], 0);
  EXPECT_EQ(ring.frames()[2], 1);
  EXPECT_EQ(ring.frames()[1], 2);
  EXPECT_EQ(ring.frames()[static_cast<size_t>(ring.chunk_slots().front())], 5);
  Slots sorted = ring.frames();
  std::sort(sorted.begin(), sorted.end());
  EXPECT_THAT(sorted, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(KvRing, RefusesWhatCannotWork) {
  EXPECT_FALSE(KvRing::create({.slots = 3, .sinks = 3}).ok());
  EXPECT_FALSE(KvRing::create({.slots = 0, .sinks = 0}).ok());
  EXPECT_FALSE(KvRing::create({.slots = 6, .sinks = -1}).ok());
  EXPECT_FALSE(KvRing::create({.slots = 50, .sinks = 3, .refresh_at = 50}).ok());
  EXPECT_FALSE(KvRing::create({.sink_threshold = 1.5}).ok());
  KvRing ring = make_ring({.slots = 6, .sinks = 3});
  EXPECT_FALSE(ring.begin_chunk(0).ok());
  EXPECT_FALSE(ring.begin_chunk(7).ok());
  next_chunk(ring, 6);
  const auto too_long = ring.begin_chunk(4);
  ASSERT_FALSE(too_long.ok());
  EXPECT_THAT(too_long.error().message, testing::HasSubstr("1 to 3"));
  EXPECT_EQ(next_chunk(ring, 3).start_frame, 6);
}

}  // namespace
}  // namespace sdv2
