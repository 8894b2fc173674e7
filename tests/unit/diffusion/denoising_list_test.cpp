// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/denoising_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

using testing::HasSubstr;
using List = std::vector<float>;

List list(Task task, int steps) {
  auto made = denoising_list(task, full_denoising_list(task), steps);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return *made;
}

TEST(DenoisingList, TakesTheFirstStepsOfAVideo) {
  EXPECT_EQ(list(Task::kVideoToVideo, 1), (List{700}));
  EXPECT_EQ(list(Task::kVideoToVideo, 2), (List{700, 500}));
  EXPECT_EQ(list(Task::kVideoToVideo, 3), (List{700, 500, 400}));
  EXPECT_EQ(list(Task::kVideoToVideo, 4), (List{700, 500, 400, 200}));
}

TEST(DenoisingList, KeepsTheLastPassAtZeroForText) {
  EXPECT_EQ(list(Task::kTextToVideo, 4), (List{1000, 750, 500, 250, 0}));
  EXPECT_EQ(list(Task::kTextToVideo, 1), (List{1000, 0}));
}

TEST(DenoisingList, RefusesStepsThatTheModelDoesNotHave) {
  for (const int steps : {-1, 0, 5}) {
    const auto made = denoising_list(Task::kVideoToVideo, full_denoising_list(Task::kVideoToVideo), steps);
    ASSERT_FALSE(made.ok()) << steps;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(made.error().message, HasSubstr("1 to 4"));
  }
}

TEST(DenoisingList, RefusesTimestepsOutsideTheSchedule) {
  for (const float wrong : {-1.0f, 1000.5f, std::numeric_limits<float>::quiet_NaN()}) {
    const auto made = denoising_list(Task::kVideoToVideo, {700, wrong, 0}, 1);
    ASSERT_FALSE(made.ok()) << wrong;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(FirstTimestep, TruncatesAndSubtractsAHundred) {
  EXPECT_EQ(first_timestep(0.9), 800);
  EXPECT_EQ(first_timestep(0.8), 700);
  EXPECT_EQ(first_timestep(0.75), 650);
  EXPECT_EQ(first_timestep(0.709505), 609);
  EXPECT_EQ(first_timestep(0.7000999999), 600);
  EXPECT_EQ(first_timestep(0.05), -50);
}

TEST(ToldTimesteps, TheFirstFollowsTheNoise) {
  EXPECT_EQ(told_timesteps({700, 500, 400}, 0.75, 0), (std::vector<double>{650, 500, 400}));
  EXPECT_EQ(told_timesteps({700}, 0.3, 0), (std::vector<double>{200}));
}

TEST(ToldTimesteps, NoStepAddsNoiseBeyondTheFirst) {
  EXPECT_EQ(told_timesteps({700, 500}, 0.6, 0), (std::vector<double>{500, 500.0 * (500.0 / 700)}));
  for (double scale = 0; scale <= 1; scale += 0.05) {
    const auto told = told_timesteps({700, 500, 400, 200}, scale, 10);
    EXPECT_TRUE(std::is_sorted(told.rbegin(), told.rend())) << scale;
  }
}

TEST(ToldTimesteps, TheFirstIsAtLeastTheModelsLeast) {
  EXPECT_EQ(told_timesteps({700}, 0.05, 50), (std::vector<double>{50}));
  EXPECT_EQ(told_timesteps({700}, 0.05, 0), (std::vector<double>{0}));
}

}  // namespace
}  // namespace sdv2
