// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/resample_filter.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

// Weight of input sample j in output sample i.
float weight(const ResampleFilter& filter, int i, int j) {
  const FilterView view = filter.view();
  const int k = j - view.first[i];
  return k >= 0 && k < view.taps ? view.weights[k * view.size + i] : 0;
}

ResampleFilter whole(int from, int to) {
  return make_resample_filter({0, static_cast<double>(from) / to, to, 0, from});
}

TEST(ResampleFilter, NothingToDoIsOneTap) {
  for (const int size : {1, 2, 7, 1920}) {
    const ResampleFilter filter = whole(size, size);
    EXPECT_EQ(filter.taps, 1);
    for (int i = 0; i < size; ++i) ASSERT_EQ(weight(filter, i, i), 1);
  }
}

TEST(ResampleFilter, DoublingInterpolatesLinearly) {
  const ResampleFilter filter = whole(4, 8);
  EXPECT_EQ(filter.taps, 2);
  EXPECT_FLOAT_EQ(weight(filter, 3, 1), 0.75F);
  EXPECT_FLOAT_EQ(weight(filter, 3, 2), 0.25F);
  EXPECT_FLOAT_EQ(weight(filter, 4, 1), 0.25F);
  EXPECT_FLOAT_EQ(weight(filter, 4, 2), 0.75F);
  EXPECT_FLOAT_EQ(weight(filter, 0, 0), 1);  // no sample on the left
  EXPECT_FLOAT_EQ(weight(filter, 7, 3), 1);
}

TEST(ResampleFilter, HalvingAveragesFour) {
  const ResampleFilter filter = whole(8, 4);
  EXPECT_EQ(filter.taps, 4);
  const float expected[] = {0.125F, 0.375F, 0.375F, 0.125F};
  for (int k = 0; k < 4; ++k) EXPECT_FLOAT_EQ(weight(filter, 1, 1 + k), expected[k]);
  EXPECT_FLOAT_EQ(weight(filter, 0, 0), 3.0F / 7);  // what is left at the border, scaled to sum 1
  EXPECT_FLOAT_EQ(weight(filter, 0, 2), 1.0F / 7);
}

TEST(ResampleFilter, ShiftBetweenCositedChromaAndLuma) {
  // 4 chroma samples on pixels 0, 2, 4, 6 to 8 pixels: even pixels are samples, odd ones lie between two.
  const ResampleFilter filter = make_resample_filter({0.25, 0.5, 8, 0, 4});
  EXPECT_EQ(filter.taps, 2);
  for (int i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(weight(filter, 2 * i, i), 1);
  EXPECT_FLOAT_EQ(weight(filter, 3, 1), 0.5F);
  EXPECT_FLOAT_EQ(weight(filter, 3, 2), 0.5F);
  EXPECT_FLOAT_EQ(weight(filter, 7, 3), 1);
}

TEST(ResampleFilter, StaysInsideItsBoundsAndSumsToOne) {
  for (const int from : {1, 2, 3, 17, 480, 1999})
    for (const int to : {1, 2, 5, 16, 333, 832})
      for (const int margin : {0, 3}) {
        const ResampleFilter filter =
            make_resample_filter({double(margin), double(from) / to, to, margin, margin + from});
        const FilterView view = filter.view();
        ASSERT_EQ(view.size, to);
        for (int i = 0; i < to; ++i) {
          ASSERT_GE(view.first[i], margin);
          ASSERT_LE(view.first[i] + view.taps, margin + from);
          double sum = 0;
          for (int k = 0; k < view.taps; ++k) {
            ASSERT_GE(view.weights[k * to + i], 0);
            sum += view.weights[k * to + i];
          }
          ASSERT_NEAR(sum, 1, 1e-5);
        }
      }
}

TEST(ResampleFilter, ARampStaysARamp) {
  // Away from the borders a linear filter keeps a linear picture, at any scale.
  for (const int to : {100, 333, 640, 900}) {
    const ResampleFilter filter = whole(640, to);
    const FilterView view = filter.view();
    for (int i = to / 8; i < to - to / 8; ++i) {
      double value = 0;
      for (int k = 0; k < view.taps; ++k) value += view.weights[k * to + i] * (view.first[i] + k + 0.5);
      EXPECT_NEAR(value, (i + 0.5) * 640 / to, 640.0 / to * 0.06 + 1e-3) << to << " " << i;
    }
  }
}

TEST(ResampleFilter, BeyondTheBorderTheLastSampleGoesOn) {
  const ResampleFilter filter = make_resample_filter({3, 1, 4, 0, 4});
  EXPECT_EQ(weight(filter, 0, 3), 1);
  EXPECT_EQ(weight(filter, 3, 3), 1);
}

}  // namespace
}  // namespace sdv2
