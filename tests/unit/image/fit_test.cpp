// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/fit.h"

#include <gtest/gtest.h>

namespace sdv2 {

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
static void PrintTo(const Rect& rect, std::ostream* out) {
  *out << rect.width << "x" << rect.height << " at " << rect.x << "," << rect.y;
}

namespace {

constexpr Fit kFits[] = {Fit::kStretch, Fit::kCrop, Fit::kLetterbox};

TEST(Fit, InsideKeepsTheShape) {
  EXPECT_EQ(fit_inside({1280, 720}, {832, 480}), (Rect{0, 6, 832, 468}));
  EXPECT_EQ(fit_inside({832, 480}, {1280, 720}), (Rect{16, 0, 1248, 720}));
  EXPECT_EQ(fit_inside({512, 512}, {1280, 720}), (Rect{280, 0, 720, 720}));
  EXPECT_EQ(fit_inside({1280, 720}, {640, 360}), (Rect{0, 0, 640, 360}));
  EXPECT_EQ(fit_inside({720, 1280}, {832, 480}), (Rect{280, 0, 270, 480}));
}

TEST(Fit, InsideTakesAllWhereOnlyOnePixelWouldBeLeft) {
  EXPECT_EQ(fit_inside({854, 480}, {1280, 720}), (Rect{0, 0, 1280, 720}));
  EXPECT_EQ(fit_inside({1000, 1001}, {501, 501}), (Rect{0, 0, 501, 501}));
}

TEST(Fit, InsideIsNeverEmptyAndNeverOutside) {
  for (const int w : {1, 2, 3, 5, 480, 16384})
    for (const int h : {1, 2, 3, 7, 832, 16384})
      for (const int fw : {1, 2, 3, 9, 64, 16384})
        for (const int fh : {1, 2, 5, 64, 16384}) {
          const Rect rect = fit_inside({w, h}, {fw, fh});
          EXPECT_GE(rect.width, 1);
          EXPECT_GE(rect.height, 1);
          EXPECT_LE(rect.x + rect.width, fw);
          EXPECT_LE(rect.y + rect.height, fh);
          EXPECT_EQ(rect.x % 2, 0);
          EXPECT_EQ(rect.y % 2, 0);
          EXPECT_TRUE(rect.width % 2 == 0 || rect.x + rect.width == fw);
          EXPECT_TRUE(rect.height % 2 == 0 || rect.y + rect.height == fh);
        }
}

TEST(Fit, InputRectangles) {
  const Size source = {1280, 720};
  const Size square = {512, 512};
  InputFit fit = input_fit(Fit::kStretch, source, square);
  EXPECT_EQ(fit.source, (Rect{0, 0, 1280, 720}));
  EXPECT_EQ(fit.target, (Rect{0, 0, 512, 512}));
  fit = input_fit(Fit::kCrop, source, square);
  EXPECT_EQ(fit.source, (Rect{280, 0, 720, 720}));
  EXPECT_EQ(fit.target, (Rect{0, 0, 512, 512}));
  fit = input_fit(Fit::kLetterbox, source, square);
  EXPECT_EQ(fit.source, (Rect{0, 0, 1280, 720}));
  EXPECT_EQ(fit.target, (Rect{0, 112, 512, 288}));
}

TEST(Fit, AtTheSourcesSizeTheOutputStandsWhereItWasTaken) {
  for (const Size source : {Size{1280, 720}, {853, 481}, {720, 1280}, {64, 64}})
    for (const Size processing : {Size{832, 480}, {512, 512}, {480, 832}})
      for (const Fit fit : kFits) {
        const InputFit in = input_fit(fit, source, processing);
        const OutputFit out = output_fit(fit, source, processing, source);
        EXPECT_EQ(out.processed, in.target);
        EXPECT_EQ(out.source, in.source);
        EXPECT_EQ(out.target, in.source);
      }
}

TEST(Fit, AtTheProcessingSizeTheOutputIsTheProcessedPicture) {
  for (const Size source : {Size{1280, 720}, {853, 481}, {720, 1280}})
    for (const Fit fit : kFits) {
      const Size processing = {832, 480};
      const OutputFit out = output_fit(fit, source, processing, processing);
      EXPECT_EQ(out.processed, out.target);
      EXPECT_EQ(out.target, input_fit(fit, source, processing).target);
    }
}

}  // namespace
}  // namespace sdv2
