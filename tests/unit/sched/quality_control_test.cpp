// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/quality_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kTenth = 100'000'000;

// One device; a stream takes `full` of it at full quality and half as much per rung.
PredictLoad halving(double full) {
  return [full](uint64_t, int rung) { return DeviceLoad{full / (1 << rung)}; };
}

TEST(QualityControl, OneStreamOfTwoGivesUpWhatTheDeviceDoesNotHave) {
  QualityControl control;
  control.open(1, 0, 3);
  control.open(2, 5, 3);
  EXPECT_THAT(control.update(0, halving(0.6)), ElementsAre(RungChange{1, 1}));
  EXPECT_EQ(control.rung(1), 1);
  EXPECT_EQ(control.rung(2), 0) << "the stream that matters more";
}

TEST(QualityControl, LooksOnlyTenTimesASecond) {
  QualityControl control;
  control.open(1, 0, 3);
  EXPECT_THAT(control.update(0, halving(0.5)), IsEmpty());
  EXPECT_THAT(control.update(kTenth - 1, halving(1.5)), IsEmpty());
  EXPECT_THAT(control.update(kTenth, halving(1.5)), ElementsAre(RungChange{1, 1}));
}

TEST(QualityControl, LateChunksCostARungOnceEvenWhenTheLoadLooksSmall) {
  QualityControl control;
  control.open(1, 0, 3);
  for (int i = 0; i < 10; ++i) control.count(i % 2 == 0);
  EXPECT_THAT(control.update(0, halving(0.5)), ElementsAre(RungChange{1, 1}));
  EXPECT_THAT(control.update(kTenth, halving(0.5)), IsEmpty()) << "those were late before the change";
}

TEST(QualityControl, LatenessIsForgottenWhereNothingCanBeGivenUp) {
  QualityControl control;
  control.open(1, 0, 1);
  control.count(false);
  int64_t now = 0;
  for (int i = 0; i < 100; ++i, now += kTenth) {
    control.count(true);
    control.update(now, halving(0.5));
  }
  control.change(1, 0, 3);
  EXPECT_THAT(control.update(now, halving(0.5)), IsEmpty());
}

TEST(QualityControl, GivesQualityBackWhenThereIsRoomAgain) {
  QualityControl control;
  control.open(1, 0, 3);
  control.update(0, halving(3));
  ASSERT_EQ(control.rung(1), 2);
  int64_t now = kTenth;
  for (; control.rung(1) > 0 && now < 100 * kTenth; now += kTenth) control.update(now, halving(0.5));
  EXPECT_LE(now, 30 * kTenth) << "within three seconds";
}

// The last rung takes nothing; the others are believed to take `believed` of the device.
PredictLoad with_source(int rungs, double believed) {
  return [=](uint64_t, int rung) { return DeviceLoad{rung == rungs - 1 ? 0 : believed}; };
}

TEST(QualityControl, WhatIsNotMeasuredIsTriedAgain) {
  QualityControl control;
  control.open(1, 0, 3);
  control.update(0, with_source(3, 5));
  ASSERT_EQ(control.rung(1), 2) << "the source";
  std::vector<int64_t> begins, ends;
  int before = 2;
  for (int64_t now = kTenth; now < 400 * kTenth; now += kTenth) {
    control.update(now, with_source(3, 5));
    if (control.rung(1) < before) begins.push_back(now / kTenth);
    if (control.rung(1) > before) ends.push_back(now / kTenth);
    before = control.rung(1);
    EXPECT_GE(before, 1) << "one rung at most";
  }
  ASSERT_EQ(begins.size(), 3u);
  ASSERT_EQ(ends.size(), 3u);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(static_cast<double>(ends[i] - begins[i]), 20, 1) << "two seconds each";
  EXPECT_NEAR(static_cast<double>(begins[0]), 41, 2);
  EXPECT_NEAR(static_cast<double>(begins[1] - ends[0]), 80, 2) << "twice the wait";
  EXPECT_NEAR(static_cast<double>(begins[2] - ends[1]), 160, 2);
}

TEST(QualityControl, ATrialThatMeasuresRoomEndsAtFullQuality) {
  QualityControl control;
  control.open(1, 0, 3);
  control.update(0, with_source(3, 5));
  double believed = 5;
  int64_t now = kTenth;
  for (; control.rung(1) > 0 && now < 200 * kTenth; now += kTenth) {
    if (control.rung(1) == 1) believed = 0.4;  // it runs, and so it is measured
    control.update(now, with_source(3, believed));
  }
  EXPECT_LT(now, 90 * kTenth);
}

TEST(QualityControl, OneStreamIsTriedAtATime) {
  QualityControl control;
  for (const uint64_t id : {1, 2, 3}) control.open(id, 0, 2);
  control.update(0, with_source(2, 5));
  for (int64_t now = kTenth; now < 200 * kTenth; now += kTenth) {
    control.update(now, with_source(2, 5));
    EXPECT_GE(control.rung(1) + control.rung(2) + control.rung(3), 2);
  }
}

TEST(QualityControl, AShorterLadderTakesItsStreamAlong) {
  QualityControl control;
  control.open(1, 0, 4);
  control.update(0, halving(6));
  ASSERT_EQ(control.rung(1), 3);
  control.change(1, 0, 2);
  EXPECT_EQ(control.rung(1), 1);
  control.close(1);
  EXPECT_THAT(control.update(kTenth, halving(9)), IsEmpty());
}

}  // namespace
}  // namespace sdv2
