// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

using testing::HasSubstr;

AdmissionRequest request(double load) {
  return {.demand = {.load = {load}, .latency_s = 0.2, .memory = {1 << 20}},
          .fps = 24,
          .target_latency_s = 0.5,
          .alternatives = {{"2 steps", {{load * 0.7}, 0.2, {1 << 20}}},
                           {"1 step", {{load * 0.4}, 0.15, {1 << 20}}}}};
}

DeviceRoom room(double load, int64_t free_bytes = 1 << 30) { return {"cuda:0", load, free_bytes}; }

Result<void> admit_on(const DeviceRoom& device, const AdmissionRequest& wanted) {
  return admit(std::vector{device}, wanted);
}

TEST(Admission, TakesWhatFitsExactly) {
  EXPECT_TRUE(admit_on(room(0.7), request(0.2)).ok());
  EXPECT_FALSE(admit_on(room(0.7), request(0.21)).ok());
}

TEST(Admission, ABusyDeviceSaysWhatWouldFit) {
  const auto refused = admit_on(room(0.75), request(0.3));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
  EXPECT_EQ(refused.error().message,
            "the stream needs 30 % of cuda:0, 15 % are free; this would fit: 1 step, or up to 12 frames per "
            "second");
}

TEST(Admission, ThePreferredAlternativeIsTheFirstThatFits) {
  EXPECT_THAT(admit_on(room(0.65), request(0.3)).error().message, HasSubstr("this would fit: 2 steps,"));
}

TEST(Admission, AFullDeviceHasNothingToOffer) {
  EXPECT_THAT(admit_on(room(1.2), request(0.3)).error().message,
              HasSubstr("0 % are free; nothing smaller that is known would fit either"));
}

TEST(Admission, AHandfulOfFramesIsNoOffer) {
  AdmissionRequest wanted = request(0.3);
  wanted.alternatives.clear();
  EXPECT_THAT(admit_on(room(0.85), wanted).error().message, HasSubstr("nothing smaller"));
  EXPECT_THAT(admit_on(room(0.80), wanted).error().message, HasSubstr("up to 8 frames per second"));
}

TEST(Admission, MemoryCountsToo) {
  const auto refused = admit_on(room(0, 1 << 19), request(0.3));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr("needs 1 MiB on cuda:0, 0 MiB are free; nothing smaller"));
}

TEST(Admission, ATargetShorterThanTheChainCannotBeServed) {
  AdmissionRequest fast = request(0.3);
  fast.target_latency_s = 0.16;
  const auto refused = admit_on(room(0), fast);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("even alone, the target is 160 ms; this would fit: 1 step"));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("frames per second")));
}

TEST(Admission, EveryDeviceOfTheStreamMustHaveRoom) {
  AdmissionRequest split = request(0.3);
  split.alternatives.clear();
  split.demand = {.load = {0.1, 0.3}, .latency_s = 0.2};
  const std::vector<DeviceRoom> devices{{"cuda:0", 0.1, 0}, {"cuda:1", 0.8, 0}};
  EXPECT_THAT(admit(devices, split).error().message, HasSubstr("30 % of cuda:1, 10 % are free"));
  EXPECT_EQ(admit(std::vector{room(0)}, split).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sdv2
