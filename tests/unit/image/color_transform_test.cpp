// SPDX-License-Identifier: LGPL-2.1-or-later
// Known colours in every matrix and range. The byte values are those of the recommendations, worked out by
// hand from Kr and Kb.
#include "image/color_transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace sdv2 {
namespace {

struct KnownColor {
  const char* name;
  ColorMatrix matrix;
  ColorRange range;
  int rgb[3];    // 0 or 255, or a grey
  int bytes[3];  // Y, Cb, Cr or R, G, B, rounded
};

constexpr auto kFull = ColorRange::kFull;
constexpr auto kLimited = ColorRange::kLimited;
constexpr KnownColor kColors[] = {
    {"601 white", ColorMatrix::kBt601, kLimited, {255, 255, 255}, {235, 128, 128}},
    {"601 black", ColorMatrix::kBt601, kLimited, {0, 0, 0}, {16, 128, 128}},
    {"601 grey", ColorMatrix::kBt601, kLimited, {128, 128, 128}, {126, 128, 128}},
    {"601 red", ColorMatrix::kBt601, kLimited, {255, 0, 0}, {81, 90, 240}},
    {"601 green", ColorMatrix::kBt601, kLimited, {0, 255, 0}, {145, 54, 34}},
    {"601 blue", ColorMatrix::kBt601, kLimited, {0, 0, 255}, {41, 240, 110}},
    {"709 white", ColorMatrix::kBt709, kLimited, {255, 255, 255}, {235, 128, 128}},
    {"709 black", ColorMatrix::kBt709, kLimited, {0, 0, 0}, {16, 128, 128}},
    {"709 red", ColorMatrix::kBt709, kLimited, {255, 0, 0}, {63, 102, 240}},
    {"709 green", ColorMatrix::kBt709, kLimited, {0, 255, 0}, {173, 42, 26}},
    {"709 blue", ColorMatrix::kBt709, kLimited, {0, 0, 255}, {32, 240, 118}},
    {"2020 white", ColorMatrix::kBt2020, kLimited, {255, 255, 255}, {235, 128, 128}},
    {"2020 red", ColorMatrix::kBt2020, kLimited, {255, 0, 0}, {74, 97, 240}},
    {"2020 green", ColorMatrix::kBt2020, kLimited, {0, 255, 0}, {164, 47, 25}},
    {"2020 blue", ColorMatrix::kBt2020, kLimited, {0, 0, 255}, {29, 240, 119}},
    {"601 full white", ColorMatrix::kBt601, kFull, {255, 255, 255}, {255, 128, 128}},
    {"601 full black", ColorMatrix::kBt601, kFull, {0, 0, 0}, {0, 128, 128}},
    {"601 full grey", ColorMatrix::kBt601, kFull, {77, 77, 77}, {77, 128, 128}},
    {"601 full cyan", ColorMatrix::kBt601, kFull, {0, 255, 255}, {179, 171, 1}},
    {"709 full yellow", ColorMatrix::kBt709, kFull, {255, 255, 0}, {237, 1, 140}},
    {"2020 full magenta", ColorMatrix::kBt2020, kFull, {255, 0, 255}, {82, 220, 245}},
    {"RGB limited white", ColorMatrix::kRgb, kLimited, {255, 255, 255}, {235, 235, 235}},
    {"RGB limited red", ColorMatrix::kRgb, kLimited, {255, 0, 0}, {235, 16, 16}},
    {"RGB full", ColorMatrix::kRgb, kFull, {255, 0, 100}, {255, 0, 100}},
};

double result(const ColorTransform& t, int i, const double in[3]) {
  return t.m[i][0] * in[0] + t.m[i][1] * in[1] + t.m[i][2] * in[2] + t.offset[i];
}

TEST(ColorTransform, MakesKnownBytes) {
  for (const KnownColor& color : kColors) {
    const ColorTransform transform = bytes_from_rgb(color.matrix, color.range);
    const double rgb[3] = {double(color.rgb[0]), double(color.rgb[1]), double(color.rgb[2])};
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(std::lround(result(transform, i, rgb)), color.bytes[i]) << color.name << ", component " << i;
  }
}

TEST(ColorTransform, ReadsKnownBytes) {
  for (const KnownColor& color : kColors) {
    const ColorTransform transform = model_from_bytes(color.matrix, color.range);
    const double bytes[3] = {double(color.bytes[0]), double(color.bytes[1]), double(color.bytes[2])};
    for (int i = 0; i < 3; ++i)  // the bytes are rounded, and the matrix enlarges that
      EXPECT_NEAR(result(transform, i, bytes), color.rgb[i] / 127.5 - 1, 2.0 / 127.5)
          << color.name << ", component " << i;
  }
}

TEST(ColorTransform, AreInverse) {
  for (const auto matrix :
       {ColorMatrix::kRgb, ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020})
    for (const auto range : {kFull, kLimited})
      for (const double r : {0., 91., 255.})
        for (const double g : {0., 128., 255.})
          for (const double b : {0., 33., 255.}) {
            const double rgb[3] = {r, g, b};
            double bytes[3];
            for (int i = 0; i < 3; ++i) bytes[i] = result(bytes_from_rgb(matrix, range), i, rgb);
            for (int i = 0; i < 3; ++i)
              EXPECT_NEAR(127.5 * result(model_from_bytes(matrix, range), i, bytes) + 127.5, rgb[i], 1e-3);
          }
}

TEST(ColorTransform, BlackAndWhiteAreExactEnds) {
  for (const auto matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020}) {
    const double white[3] = {235, 128, 128};
    const double black[3] = {16, 128, 128};
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(result(model_from_bytes(matrix, kLimited), i, white), 1, 1e-6);
      EXPECT_NEAR(result(model_from_bytes(matrix, kLimited), i, black), -1, 1e-6);
    }
  }
}

}  // namespace
}  // namespace sdv2
