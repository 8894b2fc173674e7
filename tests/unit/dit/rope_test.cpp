// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/rope.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sdv2 {
namespace {

constexpr TokenGrid kGrid = {2, 3, 5};

at::Tensor random_heads(int64_t rows, int64_t tokens) {
  const at::Tensor i = at::arange(rows * tokens * 2 * kHeadDim, at::kDouble);
  return (i * 1.7).sin().view({rows, tokens, 2, kHeadDim});
}

at::Tensor starts(std::vector<int64_t> values) { return at::tensor(values, at::kLong); }

double max_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

// The rotation angle of pair `pair` at a position (frame, row, column), from the definition.
double angle(int64_t pair, int64_t frame, int64_t row, int64_t column) {
  if (pair < 22)
    return static_cast<double>(frame) * std::pow(10000.0, -2.0 * static_cast<double>(pair) / 44.0);
  if (pair < 43)
    return static_cast<double>(row) * std::pow(10000.0, -2.0 * static_cast<double>(pair - 22) / 42.0);
  return static_cast<double>(column) * std::pow(10000.0, -2.0 * static_cast<double>(pair - 43) / 42.0);
}

TEST(Rope, FollowsTheDefinitionAtAnyPosition) {
  const std::vector<int64_t> row_starts = {0, 7, 5000};  // tables of the reference end at 1024
  const at::Tensor x = random_heads(3, kGrid.tokens());
  const at::Tensor y = rotate(x, rope_turns(starts(row_starts), kGrid));
  ASSERT_EQ(y.sizes(), x.sizes());
  const auto in = x.accessor<double, 4>();
  const auto out = y.accessor<double, 4>();
  double worst = 0;
  for (int64_t r = 0; r < 3; ++r) {
    for (int64_t t = 0; t < kGrid.tokens(); ++t) {
      const int64_t frame = row_starts[static_cast<size_t>(r)] + t / kGrid.per_frame();
      const int64_t row = t % kGrid.per_frame() / kGrid.width, column = t % kGrid.width;
      for (int64_t head = 0; head < 2; ++head) {
        for (int64_t pair = 0; pair < kHeadDim / 2; ++pair) {
          const double a = in[r][t][head][2 * pair], b = in[r][t][head][2 * pair + 1];
          const double c = std::cos(angle(pair, frame, row, column)),
                       s = std::sin(angle(pair, frame, row, column));
          worst = std::max({worst, std::abs(out[r][t][head][2 * pair] - (a * c - b * s)),
                            std::abs(out[r][t][head][2 * pair + 1] - (a * s + b * c))});
        }
      }
    }
  }
  EXPECT_LT(worst, 1e-10);
}

TEST(Rope, RoundsOnceToTheInputsType) {
  const at::Tensor x = random_heads(1, kGrid.tokens()).to(at::kBFloat16);
  const at::Tensor turns = rope_turns(starts({3}), kGrid);
  const at::Tensor y = rotate(x, turns);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(y.equal(rotate(x.to(at::kDouble), turns).to(at::kBFloat16)));
}

TEST(Rope, MovingInTimeEqualsRotatingThere) {
  const at::Tensor x = random_heads(1, kGrid.tokens());
  for (const auto& [from, to] : {std::pair<int64_t, int64_t>{48, 3}, {3, 48}, {49, 4}, {2, 2}}) {
    const at::Tensor moved = rotate_time(rotate(x, rope_turns(starts({from}), kGrid)), to - from);
    const at::Tensor there = rotate(x, rope_turns(starts({to}), kGrid));
    EXPECT_LT(max_difference(moved, there), 1e-12) << from << " to " << to;
  }
}

TEST(Rope, MovingInTimeRoundsOnceMore) {
  const at::Tensor x = random_heads(1, kGrid.tokens()).to(at::kBFloat16);
  const at::Tensor moved = rotate_time(rotate(x, rope_turns(starts({48}), kGrid)), -45);
  const at::Tensor there = rotate(x, rope_turns(starts({3}), kGrid));
  EXPECT_EQ(moved.scalar_type(), at::kBFloat16);
  const at::Tensor difference = moved.to(at::kDouble) - there.to(at::kDouble);
  EXPECT_LT((difference.norm() / there.to(at::kDouble).norm()).item<double>(), 0.004);
  // Space is not touched.
  EXPECT_TRUE(moved.narrow(-1, 44, 84).equal(there.narrow(-1, 44, 84)));
}

}  // namespace
}  // namespace sdv2
