// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

namespace sdv2 {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Calls `visit` with every contiguous cut over every ordered choice of devices.
void every_placement(const PlacementProblem& problem,
                     const std::function<void(const std::vector<PlacementStage>&)>& visit) {
  const int units = static_cast<int>(problem.unit_s.front().size());
  const int devices = static_cast<int>(problem.unit_s.size());
  std::vector<PlacementStage> stages;
  std::vector<bool> used(static_cast<size_t>(devices));
  const std::function<void(int)> extend = [&](int begin) {
    if (begin == units) return visit(stages);
    if (begin > 0 && !problem.may_cut.empty() && !problem.may_cut[static_cast<size_t>(begin) - 1]) return;
    for (int device = 0; device < devices; ++device) {
      if (used[static_cast<size_t>(device)]) continue;
      used[static_cast<size_t>(device)] = true;
      for (int end = begin + 1; end <= units; ++end) {
        stages.push_back({device, begin, end, 0});
        extend(end);
        stages.pop_back();
      }
      used[static_cast<size_t>(device)] = false;
    }
  };
  extend(0);
}

struct Best {
  double interval_s = kInfinity;
  double latency_s = kInfinity;
};

Best best_of_all(const PlacementProblem& problem) {
  Best best;
  every_placement(problem, [&](const auto& stages) {
    best.interval_s = std::min(best.interval_s, evaluate(problem, stages).interval_s);
  });
  every_placement(problem, [&](const auto& stages) {
    const Placement placement = evaluate(problem, stages);
    if (placement.interval_s <= best.interval_s * (1 + problem.tolerance + 1e-12))
      best.latency_s = std::min(best.latency_s, placement.latency_s);
  });
  return best;
}

PlacementProblem random_problem(std::mt19937& random) {
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  PlacementProblem problem;
  const size_t devices = static_cast<size_t>(draw(1, 3)), units = static_cast<size_t>(draw(1, 6));
  std::vector<double> speeds(devices);
  for (double& speed : speeds) speed = draw(1, 2);
  std::vector<double> costs(units);
  for (double& cost : costs) cost = draw(0, 9);
  for (size_t d = 0; d < devices; ++d) {
    problem.unit_s.emplace_back();
    for (const double cost : costs)
      problem.unit_s.back().push_back(draw(0, 30) == 0 ? kInfinity : cost / speeds[d]);
  }
  if (draw(0, 1)) {
    problem.links.assign(devices, std::vector<LinkCost>(devices));
    for (auto& row : problem.links)
      for (LinkCost& link : row) link = {draw(0, 2) * 0.5, draw(0, 2) * 1.0};
    for (size_t u = 0; u < units; ++u) problem.handed_on.push_back(draw(0, 6));
  }
  if (draw(0, 1))
    for (size_t u = 0; u < units; ++u) problem.may_cut.push_back(draw(0, 2) != 0);
  problem.tolerance = draw(0, 1) * 0.2;
  return problem;
}

TEST(Placement, IsTheBestOfAllPlacements) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 400; ++trial) {
    const PlacementProblem problem = random_problem(random);
    const Best best = best_of_all(problem);
    const auto found = place(problem);
    ASSERT_EQ(found.ok(), best.interval_s < kInfinity) << trial;
    if (!found.ok()) continue;
    EXPECT_LE(found->interval_s, best.interval_s * (1 + problem.tolerance + 1e-9)) << trial;
    EXPECT_NEAR(found->latency_s, best.latency_s, 1e-9) << trial;
  }
}

TEST(Placement, StagesCoverTheChainOnce) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 200; ++trial) {
    const PlacementProblem problem = random_problem(random);
    const auto found = place(problem);
    if (!found.ok()) continue;
    int end = 0;
    std::vector<int> devices;
    for (const PlacementStage& stage : found->stages) {
      EXPECT_EQ(stage.begin, end);
      end = stage.end;
      devices.push_back(stage.device);
    }
    EXPECT_EQ(end, static_cast<int>(problem.unit_s.front().size()));
    std::sort(devices.begin(), devices.end());
    EXPECT_EQ(std::adjacent_find(devices.begin(), devices.end()), devices.end());
  }
}

TEST(Placement, TheSplitFollowsTheSpeedOfTheDevices) {
  PlacementProblem problem;
  problem.unit_s = {std::vector<double>(30, 1.0), std::vector<double>(30, 2.0)};
  const auto found = place(problem);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->interval_s, 20);
  const Placement even = evaluate(problem, {{0, 0, 15, 0}, {1, 15, 30, 0}});
  EXPECT_EQ(even.interval_s, 30);
}

TEST(Placement, CutsAtStepsGiveEachStepToADevice) {
  PlacementProblem problem;
  problem.unit_s.assign(2, {1, 1, 1, 1, 1, 1, 5, 5});
  problem.may_cut = {false, false, true, false, false, true, false, false};
  const auto found = place(problem);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->stages[1].begin, 6);
}

TEST(Placement, ASlowLinkKeepsEverythingOnOneDevice) {
  PlacementProblem problem;
  problem.unit_s.assign(2, std::vector<double>(4, 1.0));
  problem.links.assign(2, std::vector<LinkCost>(2, {.fixed_s = 10}));
  const auto found = place(problem);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->stages.size(), 1u);
}

TEST(Placement, EightEqualDevicesAndAWholeChain) {
  PlacementProblem problem;
  problem.unit_s.assign(8, std::vector<double>(160, 1.0));
  const auto found = place(problem);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->stages.size(), 8u);
  EXPECT_EQ(found->interval_s, 20);
}

TEST(Placement, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(place({}).ok());
  EXPECT_FALSE(place({.unit_s = {{}}}).ok());
  EXPECT_FALSE(place({.unit_s = {{1, 2}, {1}}}).ok());
  EXPECT_FALSE(place({.unit_s = {{1, -2}}}).ok());
  EXPECT_FALSE(place({.unit_s = {{1, 2}}, .handed_on = {1}}).ok());
  EXPECT_FALSE(place({.unit_s = {{1, 2}}, .links = {{{}, {}}}}).ok());
  EXPECT_FALSE(place({.unit_s = {{1, 2}}, .may_cut = {true}}).ok());
  EXPECT_FALSE(place({.unit_s = {{1, kInfinity}}}).ok());
  EXPECT_FALSE(place({.unit_s = std::vector(9, std::vector<double>{1})}).ok());
}

}  // namespace
}  // namespace sdv2
