// SPDX-License-Identifier: LGPL-2.1-or-later
// Our conversion and scaling against GStreamer's videoconvertscale (its GstVideoConverter, linear resampler),
// on a smooth colourful picture.
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <ostream>

#include "image/input_converter.h"
#include "image/output_converter.h"
#include "image/pixel_bytes.h"
#include "unit/image/picture.h"

namespace sdv2 {
namespace {

using testing::format_at;
using testing::spec_of;

// Mean and largest difference of bytes.
struct Difference {
  double mean = 0;
  double most = 0;
};
std::ostream& operator<<(std::ostream& out, const Difference& d) {
  return out << "mean " << d.mean << ", largest " << d.most;
}

GstVideoInfo video_info(const ImageSpec& spec) {
  GstVideoInfo info;
  const GstVideoFormat format = gst_video_format_from_string(info_of(spec.format).name);
  EXPECT_NE(format, GST_VIDEO_FORMAT_UNKNOWN);
  gst_video_info_set_format(&info, format, spec.size.width, spec.size.height);
  constexpr GstVideoColorMatrix kMatrices[] = {GST_VIDEO_COLOR_MATRIX_RGB, GST_VIDEO_COLOR_MATRIX_BT601,
                                               GST_VIDEO_COLOR_MATRIX_BT709, GST_VIDEO_COLOR_MATRIX_BT2020};
  info.colorimetry.matrix = kMatrices[static_cast<int>(spec.matrix)];
  info.colorimetry.range =
      spec.range == ColorRange::kFull ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  return info;
}

// A picture in a GstBuffer, in GStreamer's own layout.
class VideoFrame {
 public:
  explicit VideoFrame(const ImageSpec& spec) : spec_(spec), info_(video_info(spec)) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, info_.size, nullptr);
    EXPECT_TRUE(gst_video_frame_map(&frame_, &info_, buffer, GST_MAP_READWRITE));
    gst_buffer_unref(buffer);
  }
  ~VideoFrame() { gst_video_frame_unmap(&frame_); }
  VideoFrame(const VideoFrame&) = delete;
  VideoFrame& operator=(const VideoFrame&) = delete;

  GstVideoFrame* frame() { return &frame_; }
  MutableImageView view() {
    MutableImageView view{spec_, {}, {}};
    for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(&frame_); ++p) {
      view.planes[p] = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, p));
      view.strides[p] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, p);
    }
    return view;
  }

 private:
  ImageSpec spec_;
  GstVideoInfo info_;
  GstVideoFrame frame_{};
};

void convert_by_gstreamer(GstVideoFrame* from, GstVideoFrame* to) {
  GstStructure* config = gst_structure_new(
      "config", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
      GST_VIDEO_RESAMPLER_METHOD_LINEAR, GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD,
      GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
      GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, nullptr);
  const std::unique_ptr<GstVideoConverter, decltype(&gst_video_converter_free)> converter(
      gst_video_converter_new(&from->info, &to->info, config), gst_video_converter_free);
  ASSERT_NE(converter, nullptr);
  gst_video_converter_frame(converter.get(), from, to);
}

// RGB of 16 bits each: with such a target GStreamer computes colours in 16 bits. To 8 bits it takes a short
// cut that is wrong by 2.5 steps in the mean.
class Deep {
 public:
  explicit Deep(Size size) {
    gst_video_info_set_format(&info_, GST_VIDEO_FORMAT_ARGB64, size.width, size.height);
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, info_.size, nullptr);
    EXPECT_TRUE(gst_video_frame_map(&frame_, &info_, buffer, GST_MAP_READWRITE));
    gst_buffer_unref(buffer);
  }
  ~Deep() { gst_video_frame_unmap(&frame_); }
  Deep(const Deep&) = delete;
  Deep& operator=(const Deep&) = delete;

  GstVideoFrame* frame() { return &frame_; }
  // In steps of a byte, from planes R, G, B in -1…1.
  Difference difference(const std::vector<float>& model) const {
    Difference result;
    const int width = info_.width;
    const int height = info_.height;
    double sum = 0;
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < height; ++y) {
        const auto* row = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, 0)) +
                          int64_t{y} * GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 0);
        for (int x = 0; x < width; ++x) {
          uint16_t value = 0;
          std::memcpy(&value, row + int64_t{8} * x + int64_t{2} * (c + 1), 2);
          const double d = std::abs(127.5 * model[(c * height + y) * width + x] + 127.5 - value / 257.0);
          sum += d;
          result.most = std::max(result.most, d);
        }
      }
    result.mean = sum / static_cast<double>(model.size());
    return result;
  }

 private:
  GstVideoInfo info_{};
  GstVideoFrame frame_{};
};

// Bytes R, G, B of the smooth picture, and planes of them.
uint8_t smooth(Size size, int c, int x, int y) {
  const double u = (x + 0.5) / size.width;
  const double v = (y + 0.5) / size.height;
  return static_cast<uint8_t>(
      std::lround(127.5 + 80 * std::sin(5 * u + 2 * c) + 40 * std::cos(6 * v - 3 * u + c)));
}
std::vector<uint8_t> smooth_planes(Size size) {
  std::vector<uint8_t> out;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) out.push_back(smooth(size, c, x, y));
  return out;
}

// The samples of two pictures of one spec (alpha and filler too).
Difference difference(VideoFrame& a, VideoFrame& b) {
  Difference result;
  double sum = 0;
  int64_t count = 0;
  const MutableImageView va = a.view();
  const MutableImageView vb = b.view();
  const FormatInfo& info = info_of(va.spec.format);
  const int components = info.has_fourth ? 4 : 3;
  for (int c = 0; c < components; ++c) {
    const Component& component = c == 3 ? info.fourth : info.color[c];
    const bool chroma = info.yuv && c > 0;
    const int width = subsampled(va.spec.size.width, chroma ? info.chroma_x_shift : 0);
    const int height = subsampled(va.spec.size.height, chroma ? info.chroma_y_shift : 0);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const int at = component.offset + x * component.step;
        const int p = component.plane;
        const double d =
            std::abs(va.planes[p][y * va.strides[p] + at] - vb.planes[p][y * vb.strides[p] + at]);
        sum += d;
        ++count;
        result.most = std::max(result.most, d);
      }
  }
  result.mean = sum / static_cast<double>(count);
  return result;
}

struct Sizes {
  Size outside, processing;
};
// As they are, reduced, enlarged, and odd with more than 576 lines.
constexpr Sizes kSizes[] = {
    {{416, 240}, {416, 240}}, {{640, 360}, {416, 240}}, {{256, 144}, {416, 240}}, {{321, 601}, {208, 400}}};

// Every format at every pair of sizes, YUV formats in every matrix and range.
template <class Check>
void for_each_case(const Check& check) {
  for (int f = 0; f < kPixelFormats; ++f)
    for (const auto& [outside, processing] : kSizes)
      for (const auto matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020})
        for (const auto range : {ColorRange::kFull, ColorRange::kLimited}) {
          const ImageSpec spec = spec_of(format_at(f), outside, matrix, range);
          if (spec.matrix != matrix && (matrix != ColorMatrix::kBt601 || range != ColorRange::kFull))
            continue;
          SCOPED_TRACE(std::string(info_of(spec.format).name) + " " + std::to_string(outside.width) + "x" +
                       std::to_string(outside.height) + ", matrix " +
                       std::to_string(static_cast<int>(matrix)) + ", range " +
                       std::to_string(static_cast<int>(range)));
          check(spec, processing);
        }
}

// The smooth picture, in the frame's format by GStreamer.
void fill_smooth(VideoFrame& frame) {
  const Size size = frame.view().spec.size;
  VideoFrame plain(spec_of(PixelFormat::kRgb, size));
  const MutableImageView view = plain.view();
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (int c = 0; c < 3; ++c) view.planes[0][y * view.strides[0] + 3 * x + c] = smooth(size, c, x, y);
  convert_by_gstreamer(plain.frame(), frame.frame());
}

// Differences that GStreamer's arithmetic makes (ours is exact to rounding, see the other tests): it rounds
// to 8 bits, upwards, after each pass, and widens bytes to 16 bits by repeating them, so that chroma 128 is
// half a step too high, which the matrix turns into 0.9 steps of red and blue. At the borders it repeats
// samples.
TEST(Videoconvert, InputIsTheSame) {
  for_each_case([](const ImageSpec& spec, Size processing) {
    VideoFrame in(spec);
    fill_smooth(in);
    Deep theirs(processing);
    convert_by_gstreamer(in.frame(), theirs.frame());
    std::vector<float> ours(size_t{3} * processing.width * processing.height);
    ASSERT_TRUE(InputConverter(processing, Fit::kStretch).convert(in.view(), ours.data()).ok());
    const Difference d = theirs.difference(ours);
    EXPECT_LE(d.mean, info_of(spec.format).yuv ? 1.7 : 0.35) << d;
    EXPECT_LE(d.most, info_of(spec.format).yuv ? 5.5 : 1.2) << d;
  });
}

TEST(Videoconvert, OutputIsTheSame) {
  for_each_case([](const ImageSpec& spec, Size processing) {
    VideoFrame plain(spec_of(PixelFormat::kRgb, processing));
    VideoFrame theirs(spec);
    VideoFrame ours(spec);
    fill_smooth(plain);
    convert_by_gstreamer(plain.frame(), theirs.frame());
    ASSERT_TRUE(OutputConverter(processing, Fit::kStretch)
                    .convert(smooth_planes(processing).data(), spec.size, {}, ours.view())
                    .ok());
    const Difference d = difference(ours, theirs);
    const bool same_size = spec.size == processing;
    EXPECT_LE(d.mean, info_of(spec.format).yuv ? 1.3 : (same_size ? 0 : 0.45)) << d;
    EXPECT_LE(d.most, info_of(spec.format).yuv ? 3 : (same_size ? 0 : 2)) << d;
  });
}

// A steep ramp of Cr: chroma a quarter of a sample off would be 4.7 steps of red off.
TEST(Videoconvert, ChromaIsSitedTheSame) {
  for (const int height : {576, 578})
    for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kYuy2})
      for (const bool down : {false, true}) {
        const Size size = {24, height};
        VideoFrame in(spec_of(format, size, ColorMatrix::kBt709, ColorRange::kFull));
        const MutableImageView view = in.view();
        const FormatInfo& info = info_of(format);
        for (int c = 0; c < 3; ++c) {
          const Component& component = info.color[c];
          for (int y = 0; y < subsampled(height, c > 0 ? info.chroma_y_shift : 0); ++y)
            for (int x = 0; x < (c > 0 ? 12 : 24); ++x)
              view.planes[component.plane]
                         [y * view.strides[component.plane] + component.offset + x * component.step] =
                  static_cast<uint8_t>(c == 2 ? 62 + 12 * ((down ? y : x) % 12) : 128);
        }
        Deep theirs(size);
        convert_by_gstreamer(in.frame(), theirs.frame());
        std::vector<float> ours(size_t{3} * size.width * size.height);
        ASSERT_TRUE(InputConverter(size, Fit::kStretch).convert(in.view(), ours.data()).ok());
        EXPECT_LE(theirs.difference(ours).most, 2.5) << info.name << ", " << height << " lines";
      }
}

}  // namespace
}  // namespace sdv2

int main(int argc, char** argv) {
  gst_init(nullptr, nullptr);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
