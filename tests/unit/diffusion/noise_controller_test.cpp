// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/noise_controller.h"

#include <gtest/gtest.h>

#include "diffusion/denoising_list.h"

namespace sdv2 {
namespace {

// Noise scales and steps of the reference, to the last bit of a double.
TEST(NoiseController, FollowsTheReferenceInDouble) {
  struct Row {
    double motion, noise_scale;
    int step;
  };
  constexpr Row kRows[] = {{0.5, 0.7550000000000001, 655},
                           {0.5, 0.7505000000000001, 650},
                           {0, 0.79505, 695},
                           {1, 0.7095050000000002, 609}};
  NoiseController controller(0.8);
  for (const Row& row : kRows) {
    EXPECT_EQ(controller.update(row.motion), row.noise_scale);
    EXPECT_EQ(controller.noise_scale(), row.noise_scale);
    EXPECT_EQ(first_timestep(row.noise_scale), row.step);
  }
}

TEST(NoiseController, StartsAtTheInitialScale) { EXPECT_EQ(NoiseController(0.65).noise_scale(), 0.65); }

TEST(NoiseController, KeepsAStillPictureAtTheInitialScale) {
  struct Row {
    double initial;
    int step;
  };
  for (const auto& [initial, step] :
       {Row{0.9, 800}, Row{0.8, 700}, Row{0.75, 650}, Row{0.7, 600}, Row{0.6, 500}}) {
    NoiseController controller(initial);
    for (int chunk = 0; chunk < 5; ++chunk) {
      EXPECT_NEAR(controller.update(0), initial, 1e-15);
      EXPECT_EQ(first_timestep(controller.noise_scale()), step);
    }
  }
}

TEST(NoiseController, ComesDownByATenthUnderConstantMotion) {
  NoiseController controller(0.8);
  for (const int step : {610, 601, 600, 600, 600}) {
    controller.update(1);
    EXPECT_EQ(first_timestep(controller.noise_scale()), step);
  }
  EXPECT_NEAR(controller.noise_scale(), 0.7, 1e-5);
}

}  // namespace
}  // namespace sdv2
