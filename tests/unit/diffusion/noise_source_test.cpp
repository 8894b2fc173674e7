// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/noise_source.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/philox_normal.h"

namespace sdv2 {
namespace {

using testing::HasSubstr;

at::Tensor drawn(NoiseSource& source, const NoiseKey& key, at::IntArrayRef shape,
                 at::ScalarType type = at::kFloat) {
  auto noise = source.draw(key, shape, type, at::kCPU);
  EXPECT_TRUE(noise.ok()) << noise.error().message;
  return *noise;
}

TEST(PhiloxNoise, DrawsTheNumbersOfItsKeyInRowMajorOrder) {
  PhiloxNoise source(42);
  // More elements than one thread's share.
  const at::Tensor noise = drawn(source, {7, 1}, {3, 16, 60, 104});
  std::vector<float> expected(noise.numel());
  fill_normal({.seed = 42, .chunk = 7, .step = 1}, 0, expected);
  ASSERT_TRUE(noise.is_contiguous());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), noise.const_data_ptr<float>()));
}

TEST(PhiloxNoise, DoesNotDependOnTheOrderOfDraws) {
  PhiloxNoise forwards(1), backwards(1);
  const at::Tensor a = drawn(forwards, {0, 0}, {100});
  const at::Tensor b = drawn(forwards, {1, 0}, {100});
  EXPECT_TRUE(at::equal(drawn(backwards, {1, 0}, {100}), b));
  EXPECT_TRUE(at::equal(drawn(backwards, {0, 0}, {100}), a));
  EXPECT_FALSE(at::equal(a, b));
}

TEST(PhiloxNoise, TellsSeedsChunksAndStepsApart) {
  PhiloxNoise one(1), two(2);
  const at::Tensor base = drawn(one, {3, 2}, {64});
  EXPECT_FALSE(at::equal(drawn(two, {3, 2}, {64}), base));
  EXPECT_FALSE(at::equal(drawn(one, {2, 2}, {64}), base));
  EXPECT_FALSE(at::equal(drawn(one, {3, 3}, {64}), base));
}

TEST(PhiloxNoise, RoundsTheSameNumbersToHalfTypes) {
  PhiloxNoise source(5);
  const at::Tensor noise = drawn(source, {0, 0}, {2, 33});
  for (const auto type : {at::kBFloat16, at::kHalf})
    EXPECT_TRUE(at::equal(drawn(source, {0, 0}, {2, 33}, type), noise.to(type)));
}

TEST(PhiloxNoise, DrawsNothingForAnEmptyShape) {
  EXPECT_EQ(drawn(*std::make_unique<PhiloxNoise>(5), {}, {0, 16}).numel(), 0);
}

TEST(PhiloxNoise, RefusesTypesThatHaveNoNoise) {
  const auto noise = PhiloxNoise(5).draw({}, {4}, at::kLong, at::kCPU);
  ASSERT_FALSE(noise.ok());
  EXPECT_EQ(noise.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(noise.error().message, HasSubstr("Long"));
}

TEST(PhiloxNoise, RefusesMoreElementsThanItCanTellApart) {
  const auto noise = PhiloxNoise(5).draw({}, {1 << 20, 1 << 20}, at::kFloat, at::kCPU);
  ASSERT_FALSE(noise.ok());
  EXPECT_EQ(noise.error().code, ErrorCode::kInvalidArgument);
}

TEST(ReplayNoise, ReturnsRecordedDrawsInOrder) {
  const at::Tensor first = at::arange(6, at::kFloat).view({2, 3}) / 3;
  const at::Tensor second = at::ones({1}, at::kFloat);
  ReplayNoise source({first, second});
  EXPECT_TRUE(at::equal(drawn(source, {9, 9}, {2, 3}, at::kBFloat16), first.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(drawn(source, {0, 0}, {1}), second));
}

TEST(ReplayNoise, SaysWhenItRunsOut) {
  ReplayNoise source({at::zeros({1})});
  drawn(source, {0, 0}, {1});
  const auto noise = source.draw({4, 1}, {1}, at::kFloat, at::kCPU);
  ASSERT_FALSE(noise.ok());
  EXPECT_EQ(noise.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(noise.error().message, HasSubstr("draw 1 (chunk 4, step 1): only 1 draws"));
}

TEST(ReplayNoise, RefusesAnotherShapeAndKeepsTheDraw) {
  ReplayNoise source({at::zeros({2, 3})});
  const auto noise = source.draw({}, {3, 2}, at::kFloat, at::kCPU);
  ASSERT_FALSE(noise.ok());
  EXPECT_EQ(noise.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(noise.error().message, HasSubstr("[2, 3], asked for [3, 2]"));
  drawn(source, {}, {2, 3});
}

}  // namespace
}  // namespace sdv2
