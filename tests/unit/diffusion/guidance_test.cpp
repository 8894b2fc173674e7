// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/guidance.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

TEST(Guidance, FullRunsANegativePassAtEveryStep) {
  for (const int step : {0, 1, 3}) EXPECT_TRUE(needs_negative_pass({GuidanceMode::kFull, 1.5}, step));
}

TEST(Guidance, OneTimeNegativeRunsItAtTheFirstStepOnly) {
  EXPECT_TRUE(needs_negative_pass({GuidanceMode::kOneTimeNegative, 1.5}, 0));
  EXPECT_FALSE(needs_negative_pass({GuidanceMode::kOneTimeNegative, 1.5}, 1));
}

TEST(Guidance, SelfNegativeNeedsNoPass) {
  EXPECT_TRUE((Guidance{GuidanceMode::kSelfNegative, 1.5}.active()));
  EXPECT_FALSE(needs_negative_pass({GuidanceMode::kSelfNegative, 1.5}, 0));
}

TEST(Guidance, ScalesUpToOneSwitchItOff) {
  for (const auto mode : {GuidanceMode::kSelfNegative, GuidanceMode::kOneTimeNegative, GuidanceMode::kFull}) {
    EXPECT_FALSE((Guidance{mode, 1}.active()));
    EXPECT_FALSE(needs_negative_pass({mode, 0.5}, 0));
  }
  EXPECT_FALSE((Guidance{GuidanceMode::kNone, 5}.active()));
}

}  // namespace
}  // namespace sdv2
