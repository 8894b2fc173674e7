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
