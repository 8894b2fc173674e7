// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixel formats of the C ABI.
#include "stub/picture.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/enum_number.h"
#include "stub/status.h"

namespace sdv2::stub {
namespace {

enum class Layout { kNone, kPacked, kI420, kNv12, kYuy2, kUyvy };

// Where the bytes of a pixel are; -1: not there.
struct Format {
  Layout layout = Layout::kNone;
  int bytes = 0;
  int red = -1, green = -1, blue = -1, alpha = -1, padding = -1;
};

Format format_of(const sdv2_image& image) {
  const int format = enum_number(image.format);
  switch (format) {
    case SDV2_FORMAT_RGB:
      return {Layout::kPacked, 3, 0, 1, 2, -1, -1};
    case SDV2_FORMAT_BGR:
      return {Layout::kPacked, 3, 2, 1, 0, -1, -1};
    case SDV2_FORMAT_RGBX:
      return {Layout::kPacked, 4, 0, 1, 2, -1, 3};
    case SDV2_FORMAT_BGRX:
      return {Layout::kPacked, 4, 2, 1, 0, -1, 3};
    case SDV2_FORMAT_XRGB:
      return {Layout::kPacked, 4, 1, 2, 3, -1, 0};
    case SDV2_FORMAT_XBGR:
      return {Layout::kPacked, 4, 3, 2, 1, -1, 0};
    case SDV2_FORMAT_RGBA:
      return {Layout::kPacked, 4, 0, 1, 2, 3, -1};
    case SDV2_FORMAT_BGRA:
      return {Layout::kPacked, 4, 2, 1, 0, 3, -1};
    case SDV2_FORMAT_ARGB:
      return {Layout::kPacked, 4, 1, 2, 3, 0, -1};
    case SDV2_FORMAT_ABGR:
      return {Layout::kPacked, 4, 3, 2, 1, 0, -1};
    case SDV2_FORMAT_I420:
      return {Layout::kI420};
    case SDV2_FORMAT_NV12:
      return {Layout::kNv12};
    case SDV2_FORMAT_YUY2:
      return {Layout::kYuy2};
    case SDV2_FORMAT_UYVY:
      return {Layout::kUyvy};
    case SDV2_FORMAT_UNKNOWN:
      break;
  }
  return {};
}

// Bytes that one row of a plane needs; 0 where the format has no such plane.
int row_bytes(const Format& format, int plane, int width) {
  const int half = (width + 1) / 2;
  switch (format.layout) {
    case Layout::kPacked:
      return plane == 0 ? width * format.bytes : 0;
    case Layout::kI420:
      return plane == 0 ? width : (plane < 3 ? half : 0);
    case Layout::kNv12:
      return plane == 0 ? width : (plane == 1 ? 2 * half : 0);
    case Layout::kYuy2:
    case Layout::kUyvy:
      return plane == 0 ? 4 * half : 0;
    case Layout::kNone:
      break;
  }
  return 0;
}

// Luma weights of red and blue, and the scale and offset of the 8-bit code values.
struct Colour {
  double kr, kb, luma_scale, luma_offset, chroma_scale;
};

Colour colour_of(const sdv2_image& image) {
  const bool limited = image.range == SDV2_RANGE_LIMITED;
  Colour colour{0.299, 0.114, limited ? 219.0 / 255 : 1, limited ? 16.0 : 0, limited ? 224.0 / 255 : 1};
  if (image.matrix == SDV2_MATRIX_BT709) colour.kr = 0.2126, colour.kb = 0.0722;
  if (image.matrix == SDV2_MATRIX_BT2020) colour.kr = 0.2627, colour.kb = 0.0593;
  return colour;
}

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

using Yuv = std::array<uint8_t, 3>;

Rgba to_rgb(const Yuv& yuv, const Colour& c) {
  const double y = (yuv[0] - c.luma_offset) / c.luma_scale;
  const double u = (yuv[1] - 128.0) / c.chroma_scale, v = (yuv[2] - 128.0) / c.chroma_scale;
  const double r = y + 2 * (1 - c.kr) * v, b = y + 2 * (1 - c.kb) * u;
  const double g = (y - c.kr * r - c.kb * b) / (1 - c.kr - c.kb);
  return {to_byte(r), to_byte(g), to_byte(b), 255};
}

Yuv to_yuv(const Rgba& rgb, const Colour& c) {
  const double y = c.kr * rgb[0] + (1 - c.kr - c.kb) * rgb[1] + c.kb * rgb[2];
  const double u = (rgb[2] - y) / (2 * (1 - c.kb)), v = (rgb[0] - y) / (2 * (1 - c.kr));
  return {to_byte(y * c.luma_scale + c.luma_offset), to_byte(u * c.chroma_scale + 128),
          to_byte(v * c.chroma_scale + 128)};
}

// The bytes of luma and both chroma samples of a pixel.
std::array<uint8_t*, 3> samples(const sdv2_image& image, Layout layout, int x, int y) {
  const auto at = [&](int plane, int row, int offset) {
    return image.planes[plane] + static_cast<ptrdiff_t>(row) * image.strides[plane] + offset;
  };
  const int pair = x / 2;
  switch (layout) {
    case Layout::kI420:
      return {at(0, y, x), at(1, y / 2, pair), at(2, y / 2, pair)};
    case Layout::kNv12:
      return {at(0, y, x), at(1, y / 2, 2 * pair), at(1, y / 2, 2 * pair + 1)};
    case Layout::kYuy2:
      return {at(0, y, 2 * x), at(0, y, 4 * pair + 1), at(0, y, 4 * pair + 3)};
    default:
      return {at(0, y, 2 * x + 1), at(0, y, 4 * pair), at(0, y, 4 * pair + 2)};
  }
}

}  // namespace

Result<void> check_image(const sdv2_image* image) {
  if (image == nullptr) return invalid("image is NULL");
  if (image->struct_size < sizeof(sdv2_image)) return invalid("image: struct_size is not set");
  const Format format = format_of(*image);
  if (format.layout == Layout::kNone)
    return invalid("image: unknown format " + std::to_string(enum_number(image->format)));
  if (image->width < 1 || image->width > 16384 || image->height < 1 || image->height > 16384)
    return invalid("image: " + std::to_string(image->width) + "x" + std::to_string(image->height) +
                   " is not within 1 to 16384 pixels");
  const int range = enum_number(image->range);
  const int matrix = enum_number(image->matrix);
  if (range != SDV2_RANGE_FULL && range != SDV2_RANGE_LIMITED) return invalid("image: unknown range");
  const bool rgb = format.layout == Layout::kPacked;
  if (matrix < SDV2_MATRIX_RGB || matrix > SDV2_MATRIX_BT2020 || rgb != (matrix == SDV2_MATRIX_RGB))
    return invalid("image: the colour matrix does not suit the format");
  for (int plane = 0; row_bytes(format, plane, image->width) > 0; ++plane) {
    if (image->planes[plane] == nullptr) return invalid("image: plane " + std::to_string(plane) + " is NULL");
    if (image->strides[plane] < row_bytes(format, plane, image->width))
      return invalid("image: the stride of plane " + std::to_string(plane) + " is shorter than a row");
  }
  return {};
}

Picture read_picture(const sdv2_image& image) {
  const Format format = format_of(image);
  const Colour colour = colour_of(image);
  Picture picture{image.width, image.height, {}};
  picture.pixels.resize(static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
  auto out = picture.pixels.begin();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, ++out) {
      if (format.layout == Layout::kPacked) {
        const uint8_t* in =
            image.planes[0] + static_cast<ptrdiff_t>(y) * image.strides[0] + ptrdiff_t{x} * format.bytes;
        *out = {in[format.red], in[format.green], in[format.blue],
                format.alpha < 0 ? uint8_t{255} : in[format.alpha]};
      } else {
        const auto in = samples(image, format.layout, x, y);
        *out = to_rgb({*in[0], *in[1], *in[2]}, colour);
      }
    }
  }
  return picture;
}

void write_picture(const Picture& picture, const std::function<Rgba(const Rgba&)>& restyle,
                   const sdv2_image& image) {
  const Format format = format_of(image);
  const Colour colour = colour_of(image);
  const auto nearest = [](int to, int to_size, int from_size) {
    return static_cast<int>((2LL * to + 1) * from_size / (2LL * to_size));
  };
  for (int y = 0; y < image.height; ++y) {
    const Rgba* row = picture.pixels.data() +
                      static_cast<ptrdiff_t>(nearest(y, image.height, picture.height)) * picture.width;
    for (int x = 0; x < image.width; ++x) {
      const Rgba pixel = restyle(row[nearest(x, image.width, picture.width)]);
      if (format.layout == Layout::kPacked) {
        uint8_t* out =
            image.planes[0] + static_cast<ptrdiff_t>(y) * image.strides[0] + ptrdiff_t{x} * format.bytes;
        out[format.red] = pixel[0], out[format.green] = pixel[1], out[format.blue] = pixel[2];
        if (format.alpha >= 0) out[format.alpha] = pixel[3];
        if (format.padding >= 0) out[format.padding] = 255;
        continue;
      }
      const Yuv yuv = to_yuv(pixel, colour);
      const auto out = samples(image, format.layout, x, y);
      const bool both_ways = format.layout == Layout::kI420 || format.layout == Layout::kNv12;
      *out[0] = yuv[0];
      if (x % 2 == 0 && (!both_ways || y % 2 == 0)) *out[1] = yuv[1], *out[2] = yuv[2];
    }
  }
}

}  // namespace sdv2::stub
