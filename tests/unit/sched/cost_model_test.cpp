// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/cost_model.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace sdv2 {
namespace {

constexpr CostKey kDit{.device = 0, .work = 1, .shape = 1};
constexpr CostKey kDecoder{.device = 0, .work = 2, .shape = 1};
constexpr CostKey kElsewhere{.device = 1, .work = 1, .shape = 1};

CostModel model() {
  return CostModel([](const CostKey&) { return AffineCost{.fixed_s = 0.004, .per_row_s = 0.004}; });
}

// A device on a virtual clock that runs one batch after the other.
class Device {
 public:
  explicit Device(CostModel& model) : model_(model) {}
  void run(const CostKey& key, int rows, double seconds) {
    now_ns += static_cast<int64_t>(seconds * 1e9);
    model_.add(key, rows, seconds, now_ns);
  }
  int64_t now_ns = 0;

 private:
  CostModel& model_;
};

TEST(CostModel, BeginsWithThePrior) {
  EXPECT_DOUBLE_EQ(model().typical_s(kDit, 1, 0), 0.008);
  EXPECT_DOUBLE_EQ(model().typical_s(kDit, 3, 0), 0.016);
}

TEST(CostModel, LearnsFixedAndPerRowCost) {
  CostModel costs = model();
  Device device(costs);
  for (int i = 0; i < 200; ++i) device.run(kDit, 1 + i % 4, 0.002 + 0.010 * (1 + i % 4));
  for (int rows = 1; rows <= 8; ++rows)
    EXPECT_NEAR(costs.typical_s(kDit, rows, device.now_ns), 0.002 + 0.010 * rows, 0.002) << rows;
}

TEST(CostModel, OneRowCountKeepsTheProportionsOfThePrior) {
  CostModel costs = model();
  Device device(costs);
  for (int i = 0; i < 200; ++i) device.run(kDit, 1, 0.020);
  EXPECT_NEAR(costs.typical_s(kDit, 1, device.now_ns), 0.020, 1e-4);
  EXPECT_NEAR(costs.typical_s(kDit, 4, device.now_ns), 0.050, 1e-3);  // as 8 to 20 ms of the prior
}

TEST(CostModel, HiccupsBarelyMoveIt) {
  CostModel costs = model();
  Device device(costs);
  for (int i = 0; i < 100; ++i) device.run(kDit, 1, 0.010);
  device.run(kDit, 1, 1.0);
  EXPECT_LT(costs.typical_s(kDit, 1, device.now_ns), 0.014);
  for (int i = 0; i < 20; ++i) device.run(kDit, 1, 0.010);
  EXPECT_NEAR(costs.typical_s(kDit, 1, device.now_ns), 0.010, 0.0005);
}

TEST(CostModel, ASlowDeviceIsSlowForStagesThatHaveNotRunYet) {
  CostModel costs = model();
  Device device(costs);
  for (int i = 0; i < 100; ++i) device.run(kDit, 1, 0.010);
  for (int i = 0; i < 100; ++i) device.run(kDecoder, 1, 0.005);
  for (int i = 0; i < 20; ++i) device.run(kDit, 1, 0.020);
  EXPECT_NEAR(costs.slowdown(0, device.now_ns), 2, 0.25);
  EXPECT_NEAR(costs.typical_s(kDecoder, 1, device.now_ns), 0.010, 0.0015);
  EXPECT_DOUBLE_EQ(costs.slowdown(1, device.now_ns), 1);
  EXPECT_DOUBLE_EQ(costs.typical_s(kElsewhere, 1, device.now_ns), 0.008);
}

TEST(CostModel, FollowsASlowdownAndItsEndWithinASecond) {
  CostModel costs = model();
  Device device(costs);
  for (int i = 0; i < 1000; ++i) device.run(kDit, 1 + i % 3, 0.01 * (1 + i % 3));
  for (int i = 0; i < 1000; ++i) {
    device.run(kDit, 1 + i % 3, 0.02 * (1 + i % 3));
    if (i >= 25) {
      ASSERT_NEAR(costs.typical_s(kDit, 2, device.now_ns), 0.040, 0.006) << i;
    }
  }
  for (int i = 0; i < 1000; ++i) {
    device.run(kDit, 1 + i % 3, 0.01 * (1 + i % 3));
    if (i >= 50) {
      ASSERT_NEAR(costs.typical_s(kDit, 2, device.now_ns), 0.020, 0.003) << i;
    }
  }
}

TEST(CostModel, AnIdleDeviceIsTrustedAgain) {
  CostModel costs = model();
  Device device(costs);
  for (int i = 0; i < 100; ++i) device.run(kDit, 1, 0.010);
  for (int i = 0; i < 40; ++i) device.run(kDit, 1, 0.030);
  EXPECT_GT(costs.slowdown(0, device.now_ns), 2.5);
  EXPECT_NEAR(costs.slowdown(0, device.now_ns + 5'000'000'000), 1, 0.02);
}

TEST(CostModel, TailCoversNinetyNineOfAHundred) {
  CostModel costs = model();
  Device device(costs);
  std::mt19937 random(1);
  std::lognormal_distribution<double> noise(0, 0.1);
  int above = 0;
  for (int i = 0; i < 3000; ++i) {
    const double seconds = 0.010 * noise(random);
    if (i >= 1000 && seconds > costs.tail_s(kDit, 1, device.now_ns)) ++above;
    device.run(kDit, 1, seconds);
  }
  EXPECT_GT(costs.tail_s(kDit, 1, device.now_ns), costs.typical_s(kDit, 1, device.now_ns));
  EXPECT_LT(above, 80);  // 1 % of 2000 would be 20; the window of 128 samples is short
}

TEST(CostModel, IgnoresWhatIsNoTime) {
  CostModel costs = model();
  for (const double seconds :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    costs.add(kDit, 1, seconds, 0);
  costs.add(kDit, 0, 1.0, 0);
  EXPECT_DOUBLE_EQ(costs.typical_s(kDit, 1, 0), 0.008);
}

}  // namespace
}  // namespace sdv2
