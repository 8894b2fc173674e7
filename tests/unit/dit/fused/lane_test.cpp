// SPDX-License-Identifier: LGPL-2.1-or-later
// When a lane tells the kernels that the mean tokens of its sinks are stale.
#include "stream/lane.h"

#include "stream/segment_error.h"
#include "unit/dit/fused/hopper.h"

namespace sdv2 {
namespace {

class LaneTest : public HopperTest {
 protected:
  static constexpr int64_t kFrameTokens = 4;

  static Lane make() {
    return {or_throw(KvRing::create(kRing)), kRing.slots, kFrameTokens, 1, at::kBFloat16, gpu()};
  }

  // Places a frame that no sink resembles less than the threshold; what it told the kernels.
  static SinkTest place(Lane& lane, int64_t frames = 1) {
    or_throw(lane.begin_chunk(frames));
    const SinkTest test = lane.place().test;
    const at::Tensor similar = at::ones({1, 1, 2}, at::TensorOptions(at::kFloat).device(gpu()));
    if (test.sinks > 0) lane.follow(std::make_shared<SinkReport>(similar), 0, 0);
    return test;
  }

  static void fill(Lane& lane) {
    place(lane, 2);
    for (int i = 0; i < 2; ++i) place(lane);
  }

  static constexpr KvRingConfig kRing = {.slots = 4, .sinks = 2, .refresh_at = 9, .sink_threshold = 0.2};
};

TEST_F(LaneTest, MeansOfSinksAreStaleOnlyWhenSomethingElseHasChangedThem) {
  Lane lane = make();
  EXPECT_EQ(place(lane, 2).sinks, 0);
  EXPECT_TRUE(place(lane).stale);
  for (int64_t frame = 3; frame < kRing.refresh_at; ++frame) EXPECT_FALSE(place(lane).stale) << frame;
  EXPECT_EQ(place(lane).sinks, 0) << "positions start over: keys are rotated, nothing is compared";
  EXPECT_TRUE(place(lane).stale);
  EXPECT_FALSE(place(lane).stale);

  Lane other = make();
  fill(other);
  EXPECT_FALSE(place(other).stale);
  other.copy_from(lane);
  EXPECT_TRUE(place(other).stale);

  lane.clear(or_throw(KvRing::create(kRing)));
  EXPECT_EQ(place(lane, 2).sinks, 0);
  EXPECT_TRUE(place(lane).stale);

  lane.set_sink_threshold(-1);
  EXPECT_EQ(place(lane).sinks, 0);
  lane.set_sink_threshold(0.2);
  EXPECT_TRUE(place(lane).stale);

  or_throw(lane.begin_chunk(1));
  const at::Tensor tokens = random_bf16({kFrameTokens, 1, 128});
  lane.write(tokens, tokens);
  EXPECT_TRUE(place(lane).stale) << "the plain path wrote a frame";
}

TEST_F(LaneTest, AGrowingCacheComparesMoreSinksAnew) {
  Lane lane = make();
  EXPECT_EQ(place(lane).sinks, 0);
  const SinkTest one = place(lane);
  EXPECT_EQ(one.sinks, 1);
  EXPECT_TRUE(one.stale);
  const SinkTest two = place(lane);
  EXPECT_EQ(two.sinks, 2);
  EXPECT_TRUE(two.stale);
  EXPECT_FALSE(place(lane).stale);
}

}  // namespace
}  // namespace sdv2
