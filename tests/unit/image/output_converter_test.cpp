// SPDX-License-Identifier: LGPL-2.1-or-later
// Restyled pictures → every format, and there and back again.
#include "image/output_converter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "image/input_converter.h"
#include "image/pixel_bytes.h"
#include "unit/image/picture.h"

namespace sdv2 {
namespace {

using testing::format_at;
using testing::Picture;
using testing::spec_of;

// Planes R, G, B of bytes from value(c, x, y).
template <class Value>
std::vector<uint8_t> planes(Size size, const Value& value) {
  std::vector<uint8_t> out;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) out.push_back(static_cast<uint8_t>(value(c, x, y)));
  return out;
}

void write(const std::vector<uint8_t>& restyled, Size processing, const Picture& out, Size source,
           Fit fit = Fit::kStretch, const AlphaView& alpha = {}) {
  const auto result = OutputConverter(processing, fit).convert(restyled.data(), source, alpha, out.view());
  ASSERT_TRUE(result.ok()) << result.error().message;
}

TEST(OutputConverter, RgbOfTheSameSizeIsExact) {
  const Size size = {37, 11};
  const auto value = [](int c, int x, int y) { return (7 * x + 13 * y + 50 * c) % 256; };
  for (int f = 0; f < kPixelFormats; ++f) {
    if (info_of(format_at(f)).yuv) continue;
    Picture out(spec_of(format_at(f), size), 5);
    write(planes(size, value), size, out, size);
    EXPECT_TRUE(out.padding_is_whole());
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) {
        for (int c = 0; c < 3; ++c) ASSERT_EQ(out.at(c, x, y), value(c, x, y));
        if (out.components() == 4) {
          ASSERT_EQ(out.at(3, x, y), 255);
        }
      }
  }
}

TEST(OutputConverter, OneColourInEveryFormatAndSize) {
  const int red[] = {255, 0, 0};
  const auto restyled = planes({32, 16}, [&](int c, int, int) { return red[c]; });
  for (int f = 0; f < kPixelFormats; ++f)
    for (const Size size : {Size{1, 1}, {2, 2}, {3, 5}, {64, 48}, {101, 601}}) {
      Picture out(spec_of(format_at(f), size), 3);
      write(restyled, {32, 16}, out, size);
      EXPECT_TRUE(out.padding_is_whole());
      const bool yuv = info_of(format_at(f)).yuv;
      const int expected[] = {yuv ? 63 : 255, yuv ? 102 : 0, yuv ? 240 : 0, 255};
      for (int c = 0; c < out.components(); ++c)
        for (int y = 0; y < out.grid(c).height; ++y)
          for (int x = 0; x < out.grid(c).width; ++x)
            ASSERT_EQ(out.at(c, x, y), expected[c]) << info_of(format_at(f)).name << " component " << c;
    }
}

TEST(OutputConverter, EveryByteOfARowIsWritten) {
  for (const PixelFormat format : {PixelFormat::kYuy2, PixelFormat::kUyvy}) {
    Picture out(spec_of(format, {3, 1}));
    write(planes({16, 16}, [](int, int, int) { return 255; }), {16, 16}, out, {3, 1});
    for (int x = 0; x < 4; ++x) EXPECT_EQ(out.at(0, x, 0), 235);  // the fourth stands over the edge
    for (int x = 0; x < 2; ++x) EXPECT_EQ(out.at(1, x, 0), 128);
  }
}

TEST(OutputConverter, LetterboxBarsAreCutOff) {
  // Red picture between green bars; no green may bleed in.
  const Size source = {128, 72};
  const Size processing = {64, 64};
  const Rect inner = input_fit(Fit::kLetterbox, source, processing).target;
  const auto restyled = planes(processing, [&](int c, int, int y) {
    const bool inside = y >= inner.y && y < inner.y + inner.height;
    return c == (inside ? 0 : 1) ? 255 : 0;
  });
  Picture out(spec_of(PixelFormat::kRgb, source));
  write(restyled, processing, out, source, Fit::kLetterbox);
  for (int y = 0; y < source.height; ++y)
    for (int x = 0; x < source.width; ++x) {
      ASSERT_EQ(out.at(0, x, y), 255);
      ASSERT_EQ(out.at(1, x, y), 0);
    }
}

TEST(OutputConverter, CropStandsInTheRectangleItWasCutFrom) {
  const Size source = {128, 72};
  const auto restyled = planes({64, 64}, [](int, int, int) { return 255; });
  const Rect rect = input_fit(Fit::kCrop, source, {64, 64}).source;
  ASSERT_EQ(rect, (Rect{28, 0, 72, 72}));
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kYuy2, PixelFormat::kBgra}) {
    Picture out(spec_of(format, source), 2);
    write(restyled, {64, 64}, out, source, Fit::kCrop);
    EXPECT_TRUE(out.padding_is_whole());
    const bool yuv = info_of(format).yuv;
    for (int y = 0; y < source.height; ++y)
      for (int x = 0; x < source.width; ++x) {
        const bool inside = x >= rect.x && x < rect.x + rect.width;
        ASSERT_EQ(out.at(0, x, y), inside ? (yuv ? 235 : 255) : (yuv ? 16 : 0));
        if (yuv) {
          ASSERT_EQ(out.at(1, x / 2, y / 2), 128);
        } else {
          ASSERT_EQ(out.at(3, x, y), 255);
        }
      }
  }
}

TEST(OutputConverter, AlphaOfTheSourceComesBack) {
  const Size source = {40, 30};
  const auto restyled = planes({32, 16}, [](int c, int, int) { return 40 * c; });
  for (int from = 0; from < kPixelFormats; ++from) {
    Picture in(spec_of(format_at(from), source), 3);
    in.fill_random(from);
    const bool has_alpha = info_of(format_at(from)).alpha;
    for (const PixelFormat to : {PixelFormat::kRgba, PixelFormat::kArgb}) {
      Picture out(spec_of(to, source), 2);
      write(restyled, {32, 16}, out, source, Fit::kCrop, alpha_of(in.view()));
      const Rect rect = input_fit(Fit::kCrop, source, {32, 16}).source;
      for (int y = 0; y < source.height; ++y)
        for (int x = 0; x < source.width; ++x) {
          const bool inside = y >= rect.y && y < rect.y + rect.height;
          ASSERT_EQ(out.at(3, x, y), has_alpha && inside ? in.at(3, x, y) : 255);
        }
    }
  }
}

TEST(OutputConverter, AlphaIsScaledWithThePicture) {
  Picture in(spec_of(PixelFormat::kBgra, {64, 32}));
  in.fill(3, [](int x, int) { return 2 * x; });
  Picture out(spec_of(PixelFormat::kRgba, {32, 16}));
  write(planes({32, 16}, [](int, int, int) { return 9; }), {32, 16}, out, {64, 32}, Fit::kStretch,
        alpha_of(in.view()));
  for (int x = 1; x < 31; ++x) EXPECT_NEAR(out.at(3, x, 8), 2 * (2 * x + 0.5), 1);
}

TEST(OutputConverter, RefusesBadPictures) {
  Picture out(spec_of(PixelFormat::kRgb, {16, 16}));
  MutableImageView view = out.view();
  view.strides[0] = 47;
  const std::vector<uint8_t> restyled(size_t{3} * 16 * 16);
  OutputConverter converter({16, 16}, Fit::kStretch);
  EXPECT_FALSE(converter.convert(restyled.data(), {16, 16}, {}, view).ok());
  EXPECT_FALSE(converter.convert(restyled.data(), {0, 16}, {}, out.view()).ok());
  EXPECT_EQ(out.at(0, 0, 0), testing::kPadding);
}

// Picture → model → bytes → picture of the same format and size.
void round_trip(Picture& in, Picture& out, Size processing, Fit fit) {
  const int64_t count = int64_t{3} * processing.width * processing.height;
  std::vector<float> model(count);
  std::vector<uint8_t> bytes(count);
  ASSERT_TRUE(InputConverter(processing, fit).convert(in.view(), model.data()).ok());
  pixel_bytes(model.data(), PixelScale::kMinusOneToOne, count, bytes.data());
  write(bytes, processing, out, in.spec().size, fit, alpha_of(in.view()));
}

TEST(RoundTrip, RgbOfTheSameSizeIsExact) {
  for (int f = 0; f < kPixelFormats; ++f)
    for (const ColorRange range : {ColorRange::kFull, ColorRange::kLimited}) {
      if (info_of(format_at(f)).yuv) continue;
      ImageSpec spec = spec_of(format_at(f), {33, 19});
      spec.range = range;
      Picture in(spec, 1);
      for (int c = 0; c < in.components(); ++c)
        in.fill(c, [&](int x, int y) { return 16 + (5 * x + 3 * y + 40 * c) % 220; });
      if (in.components() == 4 && !info_of(format_at(f)).alpha) in.fill(3, [](int, int) { return 255; });
      Picture out(spec);
      round_trip(in, out, spec.size, Fit::kStretch);
      for (int c = 0; c < in.components(); ++c)
        for (int y = 0; y < 19; ++y)
          for (int x = 0; x < 33; ++x)
            ASSERT_EQ(out.at(c, x, y), in.at(c, x, y)) << info_of(format_at(f)).name;
    }
}

TEST(RoundTrip, YuvOfTheSameSizeKeepsSmoothPictures) {
  for (int f = 0; f < kPixelFormats; ++f)
    for (const auto matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020})
      for (const auto range : {ColorRange::kFull, ColorRange::kLimited})
        for (const Size size : {Size{64, 48}, {65, 49}, {34, 580}}) {
          const FormatInfo& info = info_of(format_at(f));
          if (!info.yuv) continue;
          Picture in(spec_of(format_at(f), size, matrix, range), 4);
          const auto wave = [](double at) { return std::sin(at / 25); };
          in.fill(0, [&](int x, int y) { return std::lround(125 + 30 * wave(x + y)); });
          for (const int c : {1, 2}) {
            const int sx = 1 << info.chroma_x_shift;
            const int sy = 1 << info.chroma_y_shift;
            in.fill(c, [&](int x, int y) { return std::lround(128 + 20 * wave(sx * x - c * sy * y)); });
          }
          Picture out(in.spec());
          round_trip(in, out, size, Fit::kStretch);
          for (int c = 0; c < 3; ++c)
            for (int y = 0; y < in.grid(c).height; ++y)
              for (int x = 0; x < in.grid(c).width; ++x)
                ASSERT_NEAR(out.at(c, x, y), in.at(c, x, y), c == 0 ? 2 : 3)
                    << info.name << " component " << c << " at " << x << "," << y;
        }
}

TEST(RoundTrip, EveryFitPutsThePictureBackInItsPlace) {
  // A smooth picture through another size: what comes back is the picture, not a shifted one.
  const Size size = {128, 72};
  const auto value = [](int c, int x, int y) { return 40 + x + y / 2 + 10 * c; };
  for (const Size processing : {Size{64, 64}, {160, 48}, {256, 144}})
    for (const Fit fit : {Fit::kStretch, Fit::kCrop, Fit::kLetterbox}) {
      Picture in(spec_of(PixelFormat::kRgb, size));
      for (int c = 0; c < 3; ++c) in.fill(c, [&](int x, int y) { return value(c, x, y); });
      Picture out(in.spec());
      round_trip(in, out, processing, fit);
      const Rect rect = input_fit(fit, size, processing).source;
      for (int y = rect.y + 4; y < rect.y + rect.height - 4; ++y)
        for (int x = rect.x + 4; x < rect.x + rect.width - 4; ++x)
          ASSERT_NEAR(out.at(0, x, y), value(0, x, y), 1.01);
    }
}

}  // namespace
}  // namespace sdv2
