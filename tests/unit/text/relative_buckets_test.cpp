// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/relative_buckets.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

TEST(RelativeBucket, FollowsTheTableOfUmt5) {
  // First distance of each bucket of a half, with 32 buckets and distance 128.
  constexpr int64_t kFirst[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91, 1000};
  for (int64_t bucket = 0; bucket < 16; ++bucket) {
    for (int64_t distance = kFirst[bucket]; distance < kFirst[bucket + 1]; ++distance) {
      EXPECT_EQ(relative_bucket(-distance, 32, 128), bucket) << distance;
      if (distance > 0) {
        EXPECT_EQ(relative_bucket(distance, 32, 128), bucket + 16) << distance;
      }
    }
  }
}

TEST(RelativeBucket, StepsBeginOnExactPowersWithOtherSettings) {
  // 64 buckets, distance 256: 16 exact ones, then 16 · 2^(step / 4).
  EXPECT_EQ(relative_bucket(-15, 64, 256), 15);
  EXPECT_EQ(relative_bucket(-31, 64, 256), 19);
  EXPECT_EQ(relative_bucket(-32, 64, 256), 20);
  EXPECT_EQ(relative_bucket(-63, 64, 256), 23);
  EXPECT_EQ(relative_bucket(-64, 64, 256), 24);
  EXPECT_EQ(relative_bucket(-100000, 64, 256), 31);
  // 8 buckets, distance 54: 2 exact ones, then 2 · 27^(step / 2), which is irrational.
  EXPECT_EQ(relative_bucket(10, 8, 54), 6);
  EXPECT_EQ(relative_bucket(11, 8, 54), 7);
}

TEST(RelativeBucket, NeverDecreasesWithTheDistance) {
  for (int64_t distance = 1; distance < 2000; ++distance)
    EXPECT_LE(relative_bucket(-distance, 48, 100), relative_bucket(-distance - 1, 48, 100));
}

}  // namespace
}  // namespace sdv2
