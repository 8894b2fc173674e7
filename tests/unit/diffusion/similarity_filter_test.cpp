// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/similarity_filter.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sdv2 {
namespace {

TEST(SimilarityFilter, SkipsMoreLikelyTheMoreSimilar) {
  const SimilarityFilter filter({.threshold = 0.98});
  EXPECT_DOUBLE_EQ(filter.skip_probability(1), 1);
  EXPECT_NEAR(filter.skip_probability(0.99), 0.5, 1e-12);
  EXPECT_NEAR(filter.skip_probability(0.98), 0, 1e-12);
  EXPECT_EQ(filter.skip_probability(0.5), 0);
  EXPECT_EQ(filter.skip_probability(-1), 0);
}

TEST(SimilarityFilter, ComparesTheProbabilityWithTheRandomNumber) {
  SimilarityFilter filter({.threshold = 0.98});
  EXPECT_TRUE(filter.skip(0.99, 0.49));
  EXPECT_FALSE(filter.skip(0.99, 0.51));
  EXPECT_FALSE(filter.skip(0.97, 0));
  EXPECT_TRUE(filter.skip(1, std::nextafter(1.0, 0.0)));
}

TEST(SimilarityFilter, NeverSkipsAtThresholdOne) {
  SimilarityFilter filter({.threshold = 1});
  EXPECT_FALSE(filter.skip(1, 0));
}

TEST(SimilarityFilter, DoesNotSkipWhatCannotBeCompared) {
  SimilarityFilter filter({.threshold = 0.98});
  EXPECT_FALSE(filter.skip(std::nan(""), 0));
}

TEST(SimilarityFilter, RefreshesAStillPictureAfterTheMostSkipsInARow) {
  SimilarityFilter filter({.threshold = 0.98, .max_skips = 3});
  for (int round = 0; round < 2; ++round) {
    for (int skipped = 0; skipped < 3; ++skipped) EXPECT_TRUE(filter.skip(1, 0.5));
    EXPECT_FALSE(filter.skip(1, 0.5));
  }
}

TEST(SimilarityFilter, CountsSkipsInARowOnly) {
  SimilarityFilter filter({.threshold = 0.98, .max_skips = 2});
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(filter.skip(1, 0.5));
    EXPECT_FALSE(filter.skip(0, 0.5));
  }
}

}  // namespace
}  // namespace sdv2
