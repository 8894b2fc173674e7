// SPDX-License-Identifier: LGPL-2.1-or-later
// The flow-match table. All 1000 values are compared with the reference's bits by the golden case flow_match.
#include "diffusion/flow_match.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sdv2 {
namespace {

TEST(FlowMatchTable, HasTheReferencesBitsAtShift8) {
  const FlowMatchTable table;
  // Points whose last bit depends on how linspace is evaluated are among them.
  EXPECT_EQ(table.sigmas()[0], 1.0f);
  EXPECT_EQ(table.sigmas()[774], 0.7002323865890503f);
  EXPECT_EQ(table.timesteps()[774], 700.2323608398438f);
  EXPECT_EQ(table.sigmas()[960], 0.2500000298023224f);
  EXPECT_EQ(table.timesteps()[960], 250.00003051757812f);
  EXPECT_EQ(table.sigmas()[999], 0.007944390177726746f);
  EXPECT_EQ(table.timesteps()[999], 7.944390296936035f);
}

TEST(FlowMatchTable, FollowsTheFormulaAtAnyShift) {
  for (const double shift : {1.0, 3.0, 5.0, 8.0, 12.5}) {
    const FlowMatchTable table(shift);
    for (int k = 0; k < FlowMatchTable::kSize; ++k) {
      const double s = 1 - k / 1000.0;
      const double sigma = shift * s / (1 + (shift - 1) * s);
      EXPECT_NEAR(table.sigmas()[k], sigma, 3e-7 * sigma) << "shift " << shift << ", k " << k;
      EXPECT_FLOAT_EQ(table.timesteps()[k], 1000 * table.sigmas()[k]);
    }
  }
}

TEST(FlowMatchTable, LooksUpTheNearestTimestep) {
  const FlowMatchTable table;
  EXPECT_EQ(table.index_of(1000), 0);
  EXPECT_EQ(table.index_of(700), 774);
  EXPECT_EQ(table.index_of(500), 889);
  EXPECT_EQ(table.index_of(0), 999);
  EXPECT_EQ(table.sigma_of(400), 0.40025994181632996f);
}

TEST(FlowMatchTable, LooksUpOutsideItsRange) {
  const FlowMatchTable table;
  EXPECT_EQ(table.index_of(-50), 999);
  EXPECT_EQ(table.index_of(2000), 0);
}

TEST(FlowMatchTable, TakesTheFirstOfTwoEquallyNear) {
  const FlowMatchTable table;
  const double halfway = (double{table.timesteps()[500]} + table.timesteps()[501]) / 2;
  EXPECT_EQ(table.index_of(halfway), 500);
  EXPECT_EQ(table.index_of(std::nextafter(halfway, 0)), 501);
}

TEST(FlowMatchTable, WarpsLists) {
  EXPECT_EQ(FlowMatchTable(8).warp({1000, 750, 500, 250, 0}),
            (std::vector<float>{1000.0f, 960.0f, 888.888916015625f, 727.2727661132812f, 0.0f}));
  const auto warped = FlowMatchTable(5).warp({1000, 750, 500, 250});
  EXPECT_NEAR(warped[1], 937.5, 1e-3);
  EXPECT_NEAR(warped[2], 833.3333, 1e-3);
  EXPECT_NEAR(warped[3], 625, 1e-3);
}

TEST(FlowMatchTable, FindsWarpedTimestepsExactly) {
  const FlowMatchTable table;
  const auto warped = table.warp({750, 1});
  EXPECT_EQ(table.index_of(warped[0]), 250);
  EXPECT_EQ(table.index_of(warped[1]), 999);
}

}  // namespace
}  // namespace sdv2
