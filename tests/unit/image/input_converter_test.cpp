// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of every format → planes in -1…1, and the device's way of computing them.
#include "image/input_converter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/image/picture.h"

namespace sdv2 {
namespace {

using testing::format_at;
using testing::Picture;
using testing::spec_of;

constexpr Fit kFits[] = {Fit::kStretch, Fit::kCrop, Fit::kLetterbox};

std::vector<float> converted(const ImageView& image, Size processing, Fit fit = Fit::kStretch) {
  std::vector<float> out(size_t{3} * processing.width * processing.height, -7);
  const auto result = InputConverter(processing, fit).convert(image, out.data());
  EXPECT_TRUE(result.ok()) << result.error().message;
  return out;
}

// The value of byte `value` of an RGB format.
float model_value(int value) { return static_cast<float>(value) / 127.5F - 1; }

TEST(InputConverter, RgbOfTheSameSizeIsExact) {
  for (int f = 0; f < kPixelFormats; ++f) {
    if (info_of(format_at(f)).yuv) continue;
    Picture picture(spec_of(format_at(f), {37, 11}), 5);
    for (int c = 0; c < 4 && c < picture.components(); ++c)
      picture.fill(c, [&](int x, int y) { return 7 * x + 13 * y + 50 * c; });
    const auto out = converted(picture.view(), {37, 11});
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 11; ++y)
        for (int x = 0; x < 37; ++x)
          ASSERT_NEAR(out[(c * 11 + y) * 37 + x], model_value((7 * x + 13 * y + 50 * c) % 256), 3e-7)
              << info_of(format_at(f)).name;
  }
}

TEST(InputConverter, OneColourStaysOneColourInEveryFormatAndSize) {
  for (int f = 0; f < kPixelFormats; ++f)
    for (const Size size : {Size{1, 1}, {2, 2}, {3, 5}, {64, 48}, {101, 601}})
      for (const Size processing : {Size{16, 16}, {48, 32}})
        for (const Fit fit : {Fit::kStretch, Fit::kCrop}) {
          Picture picture(spec_of(format_at(f), size), 3);
          const bool yuv = info_of(format_at(f)).yuv;
          const int bytes[] = {yuv ? 63 : 255, yuv ? 102 : 0, yuv ? 240 : 0, 99};  // red
          for (int c = 0; c < picture.components(); ++c) picture.fill(c, [&](int, int) { return bytes[c]; });
          const auto out = converted(picture.view(), processing, fit);
          const size_t area = out.size() / 3;
          for (size_t i = 0; i < out.size(); ++i)
            ASSERT_NEAR(out[i], i < area ? 1 : -1, 0.01) << info_of(format_at(f)).name;
        }
}

TEST(InputConverter, PaddingIsNotRead) {
  for (int f = 0; f < kPixelFormats; ++f) {
    Picture tight(spec_of(format_at(f), {33, 21}));
    Picture padded(spec_of(format_at(f), {33, 21}), 13);
    for (int c = 0; c < tight.components(); ++c) {
      const auto value = [&](int x, int y) { return 3 * x + 5 * y + 70 * c; };
      tight.fill(c, value);
      padded.fill(c, value);
    }
    EXPECT_EQ(converted(tight.view(), {16, 16}), converted(padded.view(), {16, 16}));
  }
}

TEST(InputConverter, LetterboxBarsAreBlackAndSharp) {
  Picture picture(spec_of(PixelFormat::kRgb, {128, 72}));
  picture.fill_random(3);
  for (int c = 0; c < 3; ++c) picture.fill(c, [](int, int) { return 255; });
  const auto out = converted(picture.view(), {64, 64}, Fit::kLetterbox);
  const Rect target = input_fit(Fit::kLetterbox, {128, 72}, {64, 64}).target;
  ASSERT_EQ(target.height, 36);
  for (size_t i = 0; i < out.size(); ++i) {
    const int y = static_cast<int>(i / 64 % 64);
    const bool inside = y >= target.y && y < target.y + target.height;
    ASSERT_NEAR(out[i], inside ? 1 : -1, 1e-6);
  }
  const auto tall =
      converted(Picture(spec_of(PixelFormat::kRgb, {20, 90})).view(), {64, 32}, Fit::kLetterbox);
  EXPECT_EQ(tall[0], -1);
  EXPECT_GT(tall[32], -1);
  EXPECT_EQ(tall[63], -1);
}

TEST(InputConverter, CropTakesTheMiddle) {
  Picture picture(spec_of(PixelFormat::kRgb, {64, 16}));
  for (int c = 0; c < 3; ++c) picture.fill(c, [](int x, int) { return x; });
  const auto out = converted(picture.view(), {16, 16}, Fit::kCrop);
  for (int x = 0; x < 16; ++x) EXPECT_NEAR(out[x], model_value(24 + x), 1e-6);
}

// Chroma of a picture that steps from blue to red at its middle: left of it, between, right of it.
TEST(InputConverter, ChromaStandsWhereGstreamerPutsItByDefault) {
  for (const int height : {576, 578}) {
    Picture picture(spec_of(PixelFormat::kI420, {16, height}));
    picture.fill(0, [](int, int) { return 100; });
    picture.fill(1, [](int, int) { return 128; });
    picture.fill(2, [](int x, int) { return x < 4 ? 100 : 140; });  // Cr; R follows it, Y being constant
    const auto out = converted(picture.view(), {16, height});
    const float low = out[0];
    const float high = out[15];
    // Share of the way at pixels 6 … 9. Middle of chroma samples 3 and 4: between pixels 6 and 7 and 8 and 9,
    // or on pixels 6 and 8.
    const std::vector<double> shares =
        height == 576 ? std::vector<double>{0, 0.25, 0.75, 1} : std::vector<double>{0, 0.5, 1, 1};
    for (int i = 0; i < 4; ++i)
      EXPECT_NEAR((out[6 + i] - low) / (high - low), shares[i], 1e-4) << "height " << height;
  }
}

// A fine checkerboard, reduced: grey. Sampling without an area filter would give black or white.
TEST(InputConverter, ReducingDoesNotAlias) {
  Picture picture(spec_of(PixelFormat::kRgb, {320, 320}));
  for (int c = 0; c < 3; ++c) picture.fill(c, [](int x, int y) { return (x + y) % 2 * 255; });
  for (const float value : converted(picture.view(), {80, 80})) ASSERT_NEAR(value, 0, 0.02);
}

TEST(InputConverter, KeepsUpWithChangesOfFormatAndSize) {
  InputConverter converter({32, 16}, Fit::kStretch);
  std::vector<float> out(size_t{3} * 32 * 16);
  for (int round = 0; round < 2; ++round)
    for (int f = 0; f < kPixelFormats; ++f) {
      Picture picture(spec_of(format_at(f), {20 + 9 * f, 70 - 5 * f}));
      picture.fill_random(f);
      ASSERT_TRUE(converter.convert(picture.view(), out.data()).ok());
      EXPECT_EQ(out, converted(picture.view(), {32, 16}));
    }
}

TEST(InputConverter, RefusesBadPictures) {
  InputConverter converter({32, 16}, Fit::kStretch);
  std::vector<float> out(size_t{3} * 32 * 16, 9);
  Picture picture(spec_of(PixelFormat::kI420, {8, 8}));
  ImageView view = picture.view();
  view.planes[1] = nullptr;
  const auto result = converter.convert(view, out.data());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(out, std::vector<float>(out.size(), 9));
}

// What the CUDA kernel runs per pixel has the bits of the rows.
TEST(InputConverter, PixelsOfTheKernelHaveTheBitsOfTheRows) {
  for (int f = 0; f < kPixelFormats; ++f)
    for (const Size size : {Size{1, 1}, {35, 17}, {96, 580}})
      for (const Fit fit : kFits) {
        Picture picture(spec_of(format_at(f), size, ColorMatrix::kBt2020, ColorRange::kFull), 1);
        picture.fill_random(7);
        const Size processing = {32, 48};
        const auto rows = converted(picture.view(), processing, fit);
        auto plan = make_input_plan(picture.spec(), processing, fit);
        ASSERT_TRUE(plan.ok());
        const InputArgs args = input_args(*plan, host_filters(*plan), picture.view());
        for (int y = 0; y < processing.height; ++y)
          for (int x = 0; x < processing.width; ++x) {
            float rgb[3];
            input_pixel(args, x, y, rgb);
            for (int c = 0; c < 3; ++c)
              ASSERT_EQ(rgb[c], rows[(c * processing.height + y) * processing.width + x])
                  << info_of(format_at(f)).name << " " << size.width << "x" << size.height << " at " << x
                  << "," << y;
          }
      }
}

}  // namespace
}  // namespace sdv2
