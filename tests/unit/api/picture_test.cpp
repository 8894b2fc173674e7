// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixel formats at odd sizes and padded strides. With mix 0 the source comes back, through every conversion.
#include <functional>

#include "unit/api/fixture.h"

namespace sdv2 {
namespace {

struct FormatCase {
  sdv2_pixel_format format;
  const char* name;
  bool yuv = false;
  int alpha = -1;  // its byte in a pixel
};

constexpr FormatCase kFormats[] = {
    {SDV2_FORMAT_RGB, "RGB"},
    {SDV2_FORMAT_BGR, "BGR"},
    {SDV2_FORMAT_RGBX, "RGBx"},
    {SDV2_FORMAT_BGRX, "BGRx"},
    {SDV2_FORMAT_XRGB, "xRGB"},
    {SDV2_FORMAT_XBGR, "xBGR"},
    {SDV2_FORMAT_RGBA, "RGBA", false, 3},
    {SDV2_FORMAT_BGRA, "BGRA", false, 3},
    {SDV2_FORMAT_ARGB, "ARGB", false, 0},
    {SDV2_FORMAT_ABGR, "ABGR", false, 0},
    {SDV2_FORMAT_I420, "I420", true},
    {SDV2_FORMAT_NV12, "NV12", true},
    {SDV2_FORMAT_YUY2, "YUY2", true},
    {SDV2_FORMAT_UYVY, "UYVY", true},
};
constexpr FormatCase kNv12 = {SDV2_FORMAT_NV12, "NV12", true};
constexpr int kPadding = 13;  // bytes behind each row; odd, so that no row is aligned
constexpr uint8_t kUntouched = 7;

// An image of a format in memory that holds it exactly.
class AnyImage {
 public:
  AnyImage(const FormatCase& format, int width, int height) {
    image_ = client::sized<sdv2_image>();
    image_.format = format.format;
    image_.matrix = format.yuv ? SDV2_MATRIX_BT709 : SDV2_MATRIX_RGB;
    image_.range = format.yuv ? SDV2_RANGE_LIMITED : SDV2_RANGE_FULL;
    image_.width = width;
    image_.height = height;
    const int half = (width + 1) / 2, half_height = (height + 1) / 2;
    switch (format.format) {
      case SDV2_FORMAT_I420:
        add(width, height), add(half, half_height), add(half, half_height);
        break;
      case SDV2_FORMAT_NV12:
        add(width, height), add(2 * half, half_height);
        break;
      case SDV2_FORMAT_YUY2:
      case SDV2_FORMAT_UYVY:
        add(4 * half, height);
        break;
      case SDV2_FORMAT_RGB:
      case SDV2_FORMAT_BGR:
        add(3 * width, height);
        break;
      default:
        add(4 * width, height);
    }
    for (size_t i = 0; i < planes_.size(); ++i) image_.planes[i] = planes_[i].data();
  }
  sdv2_image& view() { return image_; }
  std::vector<std::vector<uint8_t>>& planes() { return planes_; }
  bool padding_is_untouched() const {
    for (size_t p = 0; p < planes_.size(); ++p) {
      const auto stride = static_cast<size_t>(image_.strides[p]);
      for (size_t end = stride; end <= planes_[p].size(); end += stride)
        for (size_t i = end - kPadding; i < end; ++i)
          if (planes_[p][i] != kUntouched) return false;
    }
    return true;
  }

 private:
  void add(int row, int rows) {
    image_.strides[planes_.size()] = row + kPadding;
    // The last row has no padding.
    planes_.emplace_back(static_cast<size_t>((row + kPadding) * (rows - 1) + row), kUntouched);
  }
  std::vector<std::vector<uint8_t>> planes_;
  sdv2_image image_{};
};

class ApiPictureTest : public ApiTest {
 protected:
  // One picture through a session.
  static void pass(client::Session& session, const sdv2_image& in, const sdv2_image& out) {
    ASSERT_TRUE(session.put_frame(in).ok());
    const auto chunk = session.submit();
    ASSERT_TRUE(chunk.ok());
    finish(session);
    const client::Status status = session.read_frame(*chunk, 0, out);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE(session.release_chunk(*chunk).ok());
  }
  static client::Session source_session() {
    return open(R"({"mix": 0, "steps": 1, "width": 16, "height": 16})");
  }
};

TEST_F(ApiPictureTest, EveryFormatCarriesTheColour) {
  auto session = source_session();
  for (const FormatCase& format : kFormats) {
    for (const auto& [width, height] : {std::pair{16, 16}, {7, 5}, {1, 1}}) {
      SCOPED_TRACE(std::string(format.name) + " " + std::to_string(width) + "x" + std::to_string(height));
      // RGB in, the format out, and back through the format to RGB.
      const RgbImage source(width, height, {200, 40, 90});
      AnyImage middle(format, width, height);
      const RgbImage result(width, height, {0, 0, 0});
      pass(session, source.view(), middle.view());
      EXPECT_TRUE(middle.padding_is_untouched());
      pass(session, middle.view(), result.view());
      for (size_t i = 0; i < result.bytes().size(); ++i)
        ASSERT_NEAR(result.bytes()[i], source.bytes()[i], format.yuv ? 3 : 1) << i;
    }
  }
}

TEST_F(ApiPictureTest, AlphaOfTheSourceIsKept) {
  auto session = source_session();
  for (const FormatCase& format : kFormats) {
    if (format.alpha < 0) continue;
    AnyImage in(format, 2, 2), out(format, 2, 2);
    in.planes()[0][static_cast<size_t>(format.alpha)] = 99;
    pass(session, in.view(), out.view());
    EXPECT_EQ(out.planes()[0][static_cast<size_t>(format.alpha)], 99) << format.name;
    const RgbImage opaque(2, 2);
    pass(session, opaque.view(), out.view());
    EXPECT_EQ(out.planes()[0][static_cast<size_t>(format.alpha)], 255) << format.name;
  }
}

TEST_F(ApiPictureTest, KnownYuvValues) {
  auto session = source_session();
  AnyImage out({SDV2_FORMAT_I420, "I420", true}, 2, 2);
  const RgbImage red(2, 2, {255, 0, 0});
  const auto luma_of = [&](sdv2_color_matrix matrix, sdv2_color_range range) {
    out.view().matrix = matrix;
    out.view().range = range;
    pass(session, red.view(), out.view());
    return static_cast<int>(out.planes()[0][0]);
  };
  EXPECT_NEAR(luma_of(SDV2_MATRIX_BT709, SDV2_RANGE_LIMITED), 63, 1);
  EXPECT_NEAR(out.planes()[1][0], 102, 1);
  EXPECT_NEAR(out.planes()[2][0], 240, 1);
  EXPECT_NEAR(luma_of(SDV2_MATRIX_BT601, SDV2_RANGE_LIMITED), 81, 1);
  EXPECT_NEAR(luma_of(SDV2_MATRIX_BT2020, SDV2_RANGE_FULL), 67, 1);
}

TEST_F(ApiPictureTest, WrongImagesAreRefused) {
  auto session = source_session();
  const auto code_with = [&](const std::function<void(sdv2_image&)>& change) {
    AnyImage image(kNv12, 8, 8);
    change(image.view());
    return session.put_frame(image.view()).code();
  };
  const std::vector<std::function<void(sdv2_image&)>> wrongs = {
      [](sdv2_image& image) { image.struct_size = 8; },
      [](sdv2_image& image) { image.format = SDV2_FORMAT_UNKNOWN; },
      [](sdv2_image& image) { image.format = static_cast<sdv2_pixel_format>(99); },
      [](sdv2_image& image) { image.width = 0; },
      [](sdv2_image& image) { image.height = 16385; },
      [](sdv2_image& image) { image.matrix = SDV2_MATRIX_RGB; },
      [](sdv2_image& image) { image.range = static_cast<sdv2_color_range>(2); },
      [](sdv2_image& image) { image.planes[1] = nullptr; },
      [](sdv2_image& image) { image.strides[1] = 7; },
      [](sdv2_image& image) { image.strides[0] = -8; }};
  for (size_t i = 0; i < wrongs.size(); ++i) EXPECT_EQ(code_with(wrongs[i]), SDV2_INVALID_ARGUMENT) << i;
  EXPECT_EQ(code_with([](sdv2_image&) {}), SDV2_OK);
  EXPECT_EQ(session.stats()->frames_in, 1);
}

}  // namespace
}  // namespace sdv2
