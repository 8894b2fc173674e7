// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/motion_meter.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

// [T, 3, 4, 6] pictures, each of one grey level.
at::Tensor grey(const std::vector<float>& levels, at::ScalarType type = at::kFloat) {
  return at::tensor(levels).view({-1, 1, 1, 1}).expand({-1, 3, 4, 6}).to(type).contiguous();
}

TEST(RmsChanges, IsTheRootOfTheMeanSquareOverColoursAndPixels) {
  at::Tensor frames = at::zeros({2, 3, 4, 6});
  frames[1][0] = 0.6;  // one colour of three: sqrt(0.36 / 3)
  EXPECT_TRUE(at::allclose(rms_changes(frames), at::tensor({0.34641016f})));
  EXPECT_EQ(rms_changes(grey({0, 0, 0.5, 0.5}, at::kBFloat16)).scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(rms_changes(grey({0, 0, 0.5, -0.5})), at::tensor({0.0f, 0.5f, 1.0f})));
}

TEST(MotionMeter, TakesTheLargestChangeOfTheChunk) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    MotionMeter meter;
    meter.start(grey({-1, 1, 0, 0, 0}, type));
    EXPECT_EQ(meter.measure(grey({0, 0, 0, 0}, type)), 0);
    EXPECT_NEAR(meter.measure(grey({0, 0.0625, 0.09375, 0.09375}, type)), 0.3125, 2e-3);
  }
}

TEST(MotionMeter, CountsTheChangeFromTheChunkBefore) {
  MotionMeter meter;
  meter.start(grey({0}));
  EXPECT_NEAR(meter.measure(grey({0.1, 0.1, 0.1, 0.1})), 0.5, 1e-6);
  EXPECT_EQ(meter.measure(grey({0.1, 0.1, 0.1, 0.1})), 0);
}

TEST(MotionMeter, ClampsAtFullMotion) {
  MotionMeter meter;
  meter.start(grey({-1}));
  EXPECT_EQ(meter.measure(grey({1, -1, 1, -1})), 1);
}

TEST(MotionMeter, DoesNotReadACallersBufferLater) {
  MotionMeter meter;
  at::Tensor buffer = grey({0.5, 0.5});
  meter.start(buffer);
  buffer.fill_(0.25);
  EXPECT_EQ(meter.measure(grey({0.5, 0.5})), 0);
}

TEST(MotionMeter, TakesChunksOfAnyLength) {
  MotionMeter meter;
  meter.start(grey({0}));
  EXPECT_NEAR(meter.measure(grey({0.05})), 0.25, 1e-6);
  EXPECT_EQ(meter.measure(grey({0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05})), 0);
}

}  // namespace
}  // namespace sdv2
