// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixel formats of the stub engine, at odd sizes and padded strides.
#include <cstdlib>

#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

struct FormatCase {
  sdv2_pixel_format format;
  const char* name;
  bool alpha = false;
  bool yuv = false;
};

constexpr FormatCase kFormats[] = {
    {SDV2_FORMAT_RGB, "RGB"},
    {SDV2_FORMAT_BGR, "BGR"},
    {SDV2_FORMAT_RGBX, "RGBx"},
    {SDV2_FORMAT_BGRX, "BGRx"},
    {SDV2_FORMAT_XRGB, "xRGB"},
    {SDV2_FORMAT_XBGR, "xBGR"},
    {SDV2_FORMAT_RGBA, "RGBA", true},
    {SDV2_FORMAT_BGRA, "BGRA", true},
    {SDV2_FORMAT_ARGB, "ARGB", true},
    {SDV2_FORMAT_ABGR, "ABGR", true},
    {SDV2_FORMAT_I420, "I420", false, true},
    {SDV2_FORMAT_NV12, "NV12", false, true},
    {SDV2_FORMAT_YUY2, "YUY2", false, true},
    {SDV2_FORMAT_UYVY, "UYVY", false, true},
};

// An image of a format with 16 bytes of padding in each row, in memory that holds it exactly.
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

 private:
  void add(int row, int rows) {
    image_.strides[planes_.size()] = row + 16;
    // The last row has no padding.
    planes_.emplace_back(static_cast<size_t>((row + 16) * (rows - 1) + row), uint8_t{7});
  }
  std::vector<std::vector<uint8_t>> planes_;
  sdv2_image image_{};
};

class PictureTest : public StubTest {
 protected:
  // Makes the picture of one frame.
  void pass(client::Session& session, const sdv2_image& in, const sdv2_image& out) {
    ASSERT_TRUE(session.put_frame(in).ok());
    const auto chunk = session.submit();
    ASSERT_TRUE(chunk.ok());
    ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
    const client::Status status = session.read_frame(*chunk, 0, out);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE(session.release_chunk(*chunk).ok());
  }
};

TEST_F(PictureTest, EveryFormatCarriesTheColour) {
  auto session = open();
  for (const FormatCase& format : kFormats) {
    for (const auto& [width, height] : {std::pair{16, 16}, {7, 5}, {1, 1}}) {
      SCOPED_TRACE(std::string(format.name) + " " + std::to_string(width) + "x" + std::to_string(height));
      // RGB in, the format out, and back through the format to RGB: inverted twice.
      const RgbImage source(width, height, {200, 40, 90});
      AnyImage middle(format, width, height);
      const RgbImage result(width, height, {0, 0, 0});
      pass(session, source.view(), middle.view());
      pass(session, middle.view(), result.view());
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          for (size_t channel = 0; channel < 3; ++channel)
            ASSERT_NEAR(result.pixel(x, y)[channel], source.pixel()[channel], format.yuv ? 3 : 0)
                << x << "," << y;
    }
  }
}

TEST_F(PictureTest, AlphaOfTheSourceIsKept) {
  auto session = open();
  for (const FormatCase& format : kFormats) {
    if (!format.alpha) continue;
    AnyImage in(format, 2, 2), out(format, 2, 2);
    pass(session, in.view(), out.view());
    const bool first = format.format == SDV2_FORMAT_ARGB || format.format == SDV2_FORMAT_ABGR;
    EXPECT_EQ(out.planes()[0][first ? 0 : 3], 7) << format.name;
    const RgbImage opaque(2, 2);
    pass(session, opaque.view(), out.view());
    EXPECT_EQ(out.planes()[0][first ? 0 : 3], 255) << format.name;
  }
}

TEST_F(PictureTest, SizesAreScaledByNearest) {
  auto session = open();
  RgbImage source(2, 1, {0, 0, 0});
  source.bytes() = {0, 0, 0, 255, 255, 255};
  const RgbImage wide(4, 3, {9, 9, 9});
  pass(session, source.view(), wide.view());
  EXPECT_EQ(wide.pixel(1, 2), (Rgb{255, 255, 255}));
  EXPECT_EQ(wide.pixel(2, 0), (Rgb{0, 0, 0}));
}

TEST_F(PictureTest, KnownYuvValues) {
  auto session = open(R"({"mix": 0})");
  const FormatCase i420{SDV2_FORMAT_I420, "I420", false, true};
  AnyImage out(i420, 2, 2);
  const RgbImage red(2, 2, {255, 0, 0});
  pass(session, red.view(), out.view());  // BT.709, limited
  EXPECT_EQ(out.planes()[0][0], 63);
  EXPECT_EQ(out.planes()[1][0], 102);
  EXPECT_EQ(out.planes()[2][0], 240);
  out.view().matrix = SDV2_MATRIX_BT601;
  pass(session, red.view(), out.view());
  EXPECT_EQ(out.planes()[0][0], 81);
  out.view().matrix = SDV2_MATRIX_BT2020;
  out.view().range = SDV2_RANGE_FULL;
  pass(session, red.view(), out.view());
  EXPECT_EQ(out.planes()[0][0], 67);
}

TEST_F(PictureTest, WrongImagesAreRefused) {
  auto session = open();
  const FormatCase nv12{SDV2_FORMAT_NV12, "NV12", false, true};
  const auto refused = [&](const std::function<void(sdv2_image&)>& change) {
    AnyImage image(nv12, 8, 8);
    change(image.view());
    return session.put_frame(image.view()).code() == SDV2_INVALID_ARGUMENT;
  };
  EXPECT_FALSE(refused([](sdv2_image&) {}));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.struct_size = 8; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.format = SDV2_FORMAT_UNKNOWN; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.format = static_cast<sdv2_pixel_format>(99); }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.width = 0; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.height = 16385; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.matrix = SDV2_MATRIX_RGB; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.range = static_cast<sdv2_color_range>(2); }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.planes[1] = nullptr; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.strides[1] = 7; }));
  EXPECT_TRUE(refused([](sdv2_image& image) { image.strides[0] = -8; }));
}

}  // namespace
}  // namespace sdv2
