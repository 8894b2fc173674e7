// SPDX-License-Identifier: LGPL-2.1-or-later
// Which chunks run next, with costs that the test gives and a clock that it moves.
#include "stream/batch_chooser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/cost_prior.h"

namespace sdv2 {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

constexpr int64_t kMs = 1'000'000;
constexpr ChainShape kChain{.encoder_layers = 2, .blocks = 2, .steps = 2, .decoder_layers = 2};
enum Next : size_t { kEncode, kStep0, kStep1, kDecode };

std::shared_ptr<const Route> route() {
  static const auto shared = std::make_shared<const Route>(Plan::single(kChain));
  return shared;
}

// Encoder and decoder 10 ms; a forward of the transformer 8 ms and 2 ms per row.
AffineCost shared_cost(const CostKey& key) {
  if (unpack_work(key.work).kind == Segment::Kind::kDenoise) return {.fixed_s = 0.008, .per_row_s = 0.002};
  return {.fixed_s = 0, .per_row_s = 0.01};
}

class BatchChooserTest : public testing::Test {
 protected:
  Chunk& chunk(Next next, int64_t deadline_ms = -1, int64_t width = 8) {
    auto added = std::make_unique<Chunk>();
    added->order = chunks_.size();
    added->frames = 1;
    added->stream = std::make_shared<StreamState>(StreamShape{.encoder_layers = 2,
                                                              .decoder_layers = 2,
                                                              .blocks = 2,
                                                              .heads = 1,
                                                              .latent_height = 8,
                                                              .latent_width = width,
                                                              .ring = {.slots = 6, .sinks = 3}});
    added->route = route();
    added->next_segment = next;
    if (deadline_ms >= 0) added->deadline_ns = deadline_ms * kMs;
    chunks_.push_back(std::move(added));
    return *chunks_.back();
  }
  std::vector<Chunk*> all() const {
    std::vector<Chunk*> list;
    for (const auto& each : chunks_) list.push_back(each.get());
    return list;
  }
  std::vector<size_t> choose(int64_t now_ms = 0) const { return chooser_.choose(0, now_ms * kMs, all()); }
  // So many times; takes next to nothing.
  void run(Chunk& chunk, int times) {
    const DeviceStream cpu(c10::kCPU);
    const std::vector<Chunk*> batch{&chunk};
    for (int i = 0; i < times; ++i) {
      const Mark begin = cpu.mark();
      chooser_.add(0, 0, batch, begin, cpu.mark());
      chooser_.learn(0, 0);
    }
  }
  void execute_as(Execution execution) {
    for (const auto& each : chunks_) each->execution = execution;
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  BatchChooser chooser_{1, shared_cost};
};

TEST_F(BatchChooserTest, NothingReadyGivesNothing) { EXPECT_TRUE(choose().empty()); }

TEST_F(BatchChooserTest, AutoBatchesStepsThatShareTime) {
  chunk(kStep1);
  chunk(kStep0);
  EXPECT_THAT(choose(), ElementsAre(0, 1));
}

TEST_F(BatchChooserTest, AutoDoesNotBatchWhatSharesNoTime) {
  chooser_ = BatchChooser(1, [](const CostKey&) { return AffineCost{.per_row_s = 0.01}; });
  chunk(kStep1);
  chunk(kStep0);
  EXPECT_THAT(choose(), ElementsAre(0));
  execute_as(Execution::kThroughput);
  EXPECT_THAT(choose(), ElementsAre(0, 1)) << "who wants throughput is told no other";
}

TEST_F(BatchChooserTest, LatencyIsDepthFirst) {
  chunk(kDecode);
  chunk(kEncode);
  chunk(kStep1);
  chunk(kStep0);
  execute_as(Execution::kLatency);
  EXPECT_THAT(choose(), ElementsAre(0)) << "the oldest, whatever it needs";
  chunks_.erase(chunks_.begin(), chunks_.begin() + 2);
  EXPECT_THAT(choose(), ElementsAre(0)) << "alone";
}

TEST_F(BatchChooserTest, RowsOfOtherSizesAreNotBatched) {
  chunk(kStep0);
  chunk(kStep0, -1, 16);
  EXPECT_THAT(choose(), ElementsAre(0));
}

TEST_F(BatchChooserTest, TheEarliestDeadlineGoesFirst) {
  chunk(kDecode);
  chunk(kDecode, 300);
  chunk(kDecode, 200);
  EXPECT_THAT(choose(), ElementsAre(2));
}

TEST_F(BatchChooserTest, TheWayToThePixelsCounts) {
  chunk(kDecode, 34);   // 10 ms to go
  chunk(kEncode, 101);  // 40 ms to go
  chunk(kEncode, 120);
  EXPECT_THAT(choose(), ElementsAre(0));
  EXPECT_THAT(choose(30), ElementsAre(1)) << "the first one cannot be in time any more";
}

TEST_F(BatchChooserTest, WhatIsLateGoesByPriorityAndBeforeWhatNobodyWaitsFor) {
  chunk(kDecode);
  chunk(kDecode, 1);
  chunk(kDecode, 2).priority = 5;
  EXPECT_THAT(choose(50), ElementsAre(2));
  chunks_.pop_back();
  EXPECT_THAT(choose(50), ElementsAre(1));
}

TEST_F(BatchChooserTest, LearnsFromWhatRanButNotFromFirstRuns) {
  const CostKey key = cost_key(route()->segments[kDecode], row_shape(chunk(kDecode)));
  run(*chunks_.back(), 2);
  EXPECT_DOUBLE_EQ(chooser_.costs().typical_s(key, 1, 0), 0.01);
  run(*chunks_.back(), 8);
  EXPECT_LT(chooser_.costs().typical_s(key, 1, 0), 0.009);
}

TEST_F(BatchChooserTest, KnowsARouteWhenAllOfItHasRun) {
  const int64_t shape = row_shape(chunk(kEncode));
  for (const Next next : {kEncode, kStep0, kDecode}) {
    EXPECT_FALSE(chooser_.knows(*route(), shape));
    run(chunk(next), 3);
  }
  EXPECT_TRUE(chooser_.knows(*route(), shape)) << "both steps are the same work";
  EXPECT_FALSE(chooser_.knows(*route(), row_shape(chunk(kEncode, -1, 16))));
}

TEST_F(BatchChooserTest, DoesNotLearnFromWorkThatWasBrokenOff) {
  const int64_t shape = row_shape(chunk(kEncode));
  for (const Next next : {kEncode, kStep0, kDecode}) {
    chunk(next).abandoned = true;
    run(*chunks_.back(), 8);
  }
  EXPECT_FALSE(chooser_.knows(*route(), shape));
}

TEST_F(BatchChooserTest, GivesUpOnlyWhatCannotBeInTime) {
  Chunk& due = chunk(kEncode, 50);
  EXPECT_FALSE(chooser_.is_hopeless(due, 45 * kMs)) << "what a chunk takes is only guessed yet";
  EXPECT_TRUE(chooser_.is_hopeless(due, 51 * kMs)) << "the time is over, whatever it takes";
  EXPECT_FALSE(chooser_.is_hopeless(chunk(kEncode), 1000 * kMs)) << "nobody waits";
}

TEST_F(BatchChooserTest, LoadIsWhatChunksTakeOfTheWorkersTime) {
  const int64_t shape = row_shape(chunk(kEncode));
  EXPECT_THAT(chooser_.load(*route(), shape, {.chunks_per_s = 5}, 0), ElementsAre(DoubleNear(0.2, 1e-9)));
  // Of ten chunks a second that can wait 0.4 s two share a forward: 12 ms for both.
  EXPECT_THAT(chooser_.load(*route(), shape, {.chunks_per_s = 5, .alike_per_s = 10, .slack_s = 0.4}, 0),
              ElementsAre(DoubleNear(0.16, 1e-9)));
}

TEST_F(BatchChooserTest, PredictsTheRestOfTheChain) {
  const int64_t shape = row_shape(chunk(kEncode));
  EXPECT_NEAR(chooser_.rest_s(*route(), shape, 0, 0), 0.04, 1e-9);
  EXPECT_NEAR(chooser_.rest_s(*route(), shape, kStep1, 0), 0.02, 1e-9);
  EXPECT_NEAR(chooser_.rest_s(*route(), shape, 0, 0, 0), 0.04, 1e-9);
}

}  // namespace
}  // namespace sdv2
