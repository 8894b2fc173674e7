// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/degradation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

using testing::ElementsAre;

std::vector<std::string> words(const Quality& full, uint8_t allowed) {
  std::vector<std::string> words;
  for (const Quality& quality : degradation_ladder(full, allowed)) words.push_back(to_string(quality));
  return words;
}

constexpr Quality kFull{.steps = 3, .width = 832, .height = 480};

TEST(Degradation, LadderGoesFromStepsToTheSource) {
  EXPECT_THAT(words({.steps = 2, .width = 1280, .height = 720}, kDegradeAll),
              ElementsAre("2 steps, 1280x720", "1 step, 1280x720", "1 step, 960x528", "1 step, 640x352",
                          "1 step, 640x352, every other chunk", "source"));
}

TEST(Degradation, OnlyAllowedRungsAreThere) {
  EXPECT_THAT(words(kFull, kDegradeNothing), ElementsAre("3 steps, 832x480"));
  EXPECT_THAT(words(kFull, kDegradeSteps),
              ElementsAre("3 steps, 832x480", "2 steps, 832x480", "1 step, 832x480"));
  EXPECT_THAT(words(kFull, kDegradeRepeat),
              ElementsAre("3 steps, 832x480", "3 steps, 832x480, every other chunk"));
  EXPECT_THAT(words(kFull, kDegradeSource), ElementsAre("3 steps, 832x480", "source"));
}

TEST(Degradation, NothingIsMadeSmallerThanTheModelCanDo) {
  EXPECT_THAT(words({.steps = 1, .width = 512, .height = 512}, kDegradeSize),
              ElementsAre("1 step, 512x512", "1 step, 384x384", "1 step, 256x256"));
  EXPECT_THAT(words(kFull, kDegradeSize), ElementsAre("3 steps, 832x480", "3 steps, 624x352"));
}

}  // namespace
}  // namespace sdv2
