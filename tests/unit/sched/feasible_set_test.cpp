// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/feasible_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sdv2 {
namespace {

bool feasible(std::vector<Job> jobs, int64_t now) {
  std::sort(jobs.begin(), jobs.end(),
            [](const Job& a, const Job& b) { return a.deadline_ns < b.deadline_ns; });
  for (const Job& job : jobs)
    if ((now += job.work_ns) > job.deadline_ns) return false;
  return true;
}

// The most jobs with `least` priority or more of any set that can be in time, by trying all sets.
size_t most_in_time(const std::vector<Job>& jobs, int64_t now, int least) {
  size_t most = 0;
  for (size_t set = 0; set < size_t{1} << jobs.size(); ++set) {
    std::vector<Job> chosen;
    for (size_t i = 0; i < jobs.size(); ++i)
      if ((set >> i & 1) && jobs[i].priority >= least) chosen.push_back(jobs[i]);
    if (chosen.size() > most && feasible(chosen, now)) most = chosen.size();
  }
  return most;
}

std::vector<Job> random_jobs(std::mt19937& random, int priorities) {
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  std::vector<Job> jobs(static_cast<size_t>(draw(0, 9)));
  for (Job& job : jobs) job = {draw(0, 60) + 100, draw(0, 20), draw(0, priorities - 1)};
  return jobs;
}

size_t kept_with(const std::vector<Job>& jobs, const std::vector<bool>& keep, int least) {
  size_t count = 0;
  for (size_t i = 0; i < jobs.size(); ++i) count += keep[i] && jobs[i].priority >= least;
  return count;
}

TEST(FeasibleSet, IsAsLargeAsTheBestOfAllSets) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 500; ++trial) {
    const auto jobs = random_jobs(random, 1);
    EXPECT_EQ(kept_with(jobs, feasible_set(100, jobs), 0), most_in_time(jobs, 100, 0)) << trial;
  }
}

TEST(FeasibleSet, TheHighestPriorityLosesNothingToTheOthers) {
  std::mt19937 random(8);
  for (int trial = 0; trial < 500; ++trial) {
    const auto jobs = random_jobs(random, 3);
    EXPECT_EQ(kept_with(jobs, feasible_set(100, jobs), 2), most_in_time(jobs, 100, 2)) << trial;
  }
}

TEST(FeasibleSet, WhatIsKeptIsInTime) {
  std::mt19937 random(9);
  for (int trial = 0; trial < 500; ++trial) {
    const auto jobs = random_jobs(random, 3);
    const auto keep = feasible_set(100, jobs);
    std::vector<Job> kept;
    for (size_t i = 0; i < jobs.size(); ++i)
      if (keep[i]) kept.push_back(jobs[i]);
    EXPECT_TRUE(feasible(kept, 100)) << trial;
  }
}

TEST(FeasibleSet, WithoutDeadlinesEverythingIsKept) {
  const std::vector<Job> jobs(3, Job{std::numeric_limits<int64_t>::max(), 1'000'000'000, 0});
  EXPECT_EQ(feasible_set(0, jobs), std::vector<bool>(3, true));
}

}  // namespace
}  // namespace sdv2
