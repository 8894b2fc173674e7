// SPDX-License-Identifier: LGPL-2.1-or-later
// The rule of untouched chunks is checked against what both bookkeepings do: a chunk is untouched when the
// reference and the engine attend to the same frames, in the same slots, for it and for all chunks before.
#include "tools/parity/engine_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "stream/kv_ring.h"

namespace sdv2::parity {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Frames = std::vector<int64_t>;  // attended, by slot

constexpr int64_t kTicks = 24;
constexpr int64_t kGarbage = -1;

ReferenceStreamConfig stream(int64_t slots, int64_t sinks, int64_t steps) {
  return {.ring = {.slots = slots, .sinks = sinks, .steps = steps}};
}

// What the engine attends to for each chunk; ends early where it refuses a chunk.
std::vector<Frames> engine_frames(const ReferenceStreamConfig& config) {
  auto ring = KvRing::create({.slots = config.ring.slots, .sinks = config.ring.sinks, .refresh_at = 1000});
  std::vector<Frames> out;
  for (int64_t chunk = 0; ring.ok() && chunk <= kTicks; ++chunk) {
    if (!ring->begin_chunk(chunk == 0 ? config.first_frames() : config.frames_per_chunk).ok()) break;
    ring->place();
    out.push_back(ring->frames());
  }
  return out;
}

// The reference's rows, slot by slot.
class ReferenceSlots {
 public:
  explicit ReferenceSlots(const ReferenceStreamConfig& config)
      : ring_(config.ring), slots_(1, Frames(static_cast<size_t>(config.ring.slots), kGarbage)) {}

  void repeat(size_t rows) {
    ring_.repeat(rows);
    slots_.resize(rows, slots_.front());
  }

  // Throws where the reference fails.
  void pass(const std::vector<int64_t>& starts, int64_t frames, int64_t first_garbage_row) {
    ring_.update(starts, frames);
    for (size_t r = 0; r < starts.size(); ++r)
      for (int64_t f = 0; f < frames; ++f)
        slots_[r].at(static_cast<size_t>(ring_.rows()[r].first_slot + f)) =
            std::cmp_less(r, first_garbage_row) ? starts[r] + f : kGarbage;
  }

  Frames attended(size_t row) const {
    return {slots_[row].begin(), slots_[row].begin() + ring_.rows()[row].lend};
  }

 private:
  ReferenceRing ring_;
  std::vector<Frames> slots_;
};

// The first chunk for which the two differ in any pass, kAllChunks when none of the ticks shows one.
int64_t first_difference(const ReferenceStreamConfig& config) {
  const auto engine = engine_frames(config);
  ReferenceSlots reference(config);
  int64_t first = kAllChunks;
  const auto compare = [&](int64_t chunk, size_t row) {
    const bool same =
        std::cmp_less(chunk, engine.size()) && reference.attended(row) == engine[static_cast<size_t>(chunk)];
    if (!same) first = std::min(first, chunk);
  };
  int64_t tick = 0;
  try {
    for (int64_t step = 0; step < config.ring.steps; ++step) {
      reference.pass({0}, config.first_frames(), 1);
      compare(0, 0);
    }
    reference.repeat(static_cast<size_t>(config.rows()));
    ReferencePositions positions(config);
    for (tick = 1; tick <= kTicks; ++tick) {
      const auto starts = positions.next_chunk();
      for (int64_t step = 0; step < (config.stream_batch ? 1 : config.ring.steps); ++step) {
        reference.pass(starts, config.frames_per_chunk, tick);
        for (int64_t row = 0; row < std::min(config.rows(), tick); ++row)
          compare(tick - row, static_cast<size_t>(row));
      }
    }
  } catch (const std::runtime_error&) {  // no slot to evict
    first = std::min(first, tick);
  } catch (const std::out_of_range&) {  // a slot in front of the first
    first = std::min(first, tick);
  }
  return first;
}

std::string text_of(const ReferenceStreamConfig& c) {
  std::ostringstream text;
  text << "K " << c.ring.slots << " M " << c.ring.sinks << " B " << c.ring.steps << " P "
       << c.frames_per_chunk << (c.text_to_video ? " t2v" : "")
       << (c.stream_batch ? "" : " without stream batch");
  return text.str();
}

TEST(EngineRows, BothAttendToTheSameFramesForUntouchedChunks) {
  int64_t untouched_for_ever = 0, touched = 0;
  for (const int64_t slots : {3, 4, 5, 6, 7, 8, 9, 12, 21})
    for (int64_t sinks = 0; sinks < slots; ++sinks)
      for (const int64_t steps : {1, 2, 4})
        for (const int64_t frames : {1, 2, 3})
          for (const bool text_to_video : {false, true})
            for (const bool stream_batch : {false, true}) {
              ReferenceStreamConfig config = stream(slots, sinks, steps);
              config.frames_per_chunk = frames;
              config.text_to_video = text_to_video;
              config.stream_batch = stream_batch;
              if (config.first_frames() > slots) continue;
              const int64_t untouched = chunks_with_equal_slots(config);
              EXPECT_LE(untouched_chunks(config), untouched) << text_of(config);
              EXPECT_LE(untouched, first_difference(config)) << text_of(config);
              ++(untouched == kAllChunks ? untouched_for_ever : touched);
            }
  EXPECT_GT(untouched_for_ever, 100);
  EXPECT_GT(touched, 100);
}

// Where the rule ends them, the difference is really there.
TEST(EngineRows, ChunksAreTouchedByEvictionAndPhaseSlip) {
  EXPECT_EQ(untouched_chunks(stream(6, 3, 2)), kAllChunks);
  EXPECT_EQ(untouched_chunks(stream(8, 4, 4)), kAllChunks);

  const auto fast = stream(5, 2, 2);
  EXPECT_EQ(untouched_chunks(fast), 4);
  EXPECT_EQ(first_difference(fast), 4);

  auto text_to_video = stream(21, 0, 3);
  text_to_video.frames_per_chunk = 3;
  text_to_video.text_to_video = true;
  EXPECT_EQ(untouched_chunks(text_to_video), 7);
  EXPECT_EQ(first_difference(text_to_video), 7);

  auto tiles_badly = stream(9, 3, 1);
  tiles_badly.frames_per_chunk = 2;
  EXPECT_EQ(untouched_chunks(tiles_badly), 4);
  EXPECT_EQ(first_difference(tiles_badly), 4);

  auto in_one_row = stream(6, 3, 2);
  in_one_row.stream_batch = false;
  EXPECT_EQ(chunks_with_equal_slots(in_one_row), 4);
  EXPECT_EQ(first_difference(in_one_row), 4);
  EXPECT_EQ(untouched_chunks(in_one_row), 2);  // one cache for both steps
  in_one_row.ring.steps = 1;
  EXPECT_EQ(untouched_chunks(in_one_row), kAllChunks);
}

TEST(EngineRows, AdaptiveSinksTouchFromTheFirstEvictionOn) {
  auto adaptive = stream(6, 3, 2);
  adaptive.ring.sink_threshold = 0.2;
  EXPECT_EQ(untouched_chunks(adaptive), 5);
  adaptive.ring.sinks = 0;  // nothing to refresh, but Q-02
  EXPECT_EQ(untouched_chunks(adaptive), 5);
}

TEST(EngineRows, ARefreshTouchesItsChunkAndAllLaterOnes) {
  auto refreshed = stream(6, 3, 2);
  refreshed.refresh_at = 50;
  EXPECT_EQ(untouched_chunks(refreshed), 49);  // chunk 49 would start at frame 50
  EXPECT_THAT(engine_rows(refreshed, "tick.48.hidden", 60), ElementsAre(0, 1));
  EXPECT_THAT(engine_rows(refreshed, "tick.49.hidden", 60), ElementsAre(1));
  EXPECT_THAT(engine_rows(refreshed, "tick.50.hidden", 60), IsEmpty());
  EXPECT_THAT(engine_rows(refreshed, "final.block.0.kcache", 60), IsEmpty());
}

TEST(EngineRows, RowsThatNoChunkHasReachedAreGarbage) {
  const auto batch = stream(6, 3, 4);
  EXPECT_THAT(engine_rows(batch, "prepare", 9), ElementsAre(0));
  EXPECT_THAT(engine_rows(batch, "tick.1.hidden", 9), ElementsAre(0));
  EXPECT_THAT(engine_rows(batch, "tick.3.flow", 9), ElementsAre(0, 1, 2));
  EXPECT_THAT(engine_rows(batch, "tick.9.flow", 9), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(engine_rows(batch, "final.block.1.vcache", 9), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(engine_rows(batch, "final.block.1.vcache", 2), ElementsAre(0, 1));
}

TEST(EngineRows, RowsLoseTheirChunksOneAfterTheOther) {
  const auto fast = stream(5, 2, 2);  // chunks 0 to 3
  EXPECT_THAT(engine_rows(fast, "tick.3.hidden", 9), ElementsAre(0, 1));
  EXPECT_THAT(engine_rows(fast, "tick.4.hidden", 9), ElementsAre(1));
  EXPECT_THAT(engine_rows(fast, "tick.5.hidden", 9), IsEmpty());
  EXPECT_THAT(engine_rows(fast, "chunk.3.latent", 9), ElementsAre(0));
  EXPECT_THAT(engine_rows(fast, "chunk.4.frames", 9), IsEmpty());
  EXPECT_THAT(engine_rows(fast, "chunk.4.noisy", 9), ElementsAre(0));
}

TEST(EngineRows, OneRowHasOneChunkPerTick) {
  auto in_one_row = stream(6, 3, 2);
  in_one_row.stream_batch = false;
  EXPECT_THAT(engine_rows(in_one_row, "tick.1.x0", 9), ElementsAre(0));
  EXPECT_THAT(engine_rows(in_one_row, "tick.1.flow.1", 9), ElementsAre(0));
  EXPECT_THAT(engine_rows(in_one_row, "tick.2.x0", 9), IsEmpty());
}

TEST(EngineRows, NothingOfASecondSessionIsUntouched) {
  const auto batch = stream(6, 3, 2);
  EXPECT_THAT(engine_rows(batch, "tick.10.hidden", 14, 11), ElementsAre(0, 1));
  EXPECT_THAT(engine_rows(batch, "prepare2", 14, 11), IsEmpty());
  EXPECT_THAT(engine_rows(batch, "tick.11.hidden", 14, 11), IsEmpty());
  EXPECT_THAT(engine_rows(batch, "final.block.0.kcache", 14, 11), IsEmpty());
}

TEST(EngineRows, RefusesOtherNames) {
  for (const char* name : {"", "tick", "tick.", "tick.x.flow", "tick.3", "tick.3.", "tick.3.rows",
                           "chunk.1.x0", "final.block.0.cache", "call.1.flow"})
    EXPECT_THROW(engine_rows(stream(6, 3, 2), name, 9), std::invalid_argument) << name;
}

}  // namespace
}  // namespace sdv2::parity
