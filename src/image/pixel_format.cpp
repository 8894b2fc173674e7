// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/pixel_format.h"

#include <cstddef>

namespace sdv2 {
namespace {

// One plane of pixels that have `bytes` bytes, with the components at these offsets.
constexpr FormatInfo rgb(const char* name, uint8_t bytes, uint8_t r, uint8_t g, uint8_t b, uint8_t fourth,
                         bool alpha) {
  return {.name = name,
          .yuv = false,
          .alpha = alpha,
          .has_fourth = bytes == 4,
          .chroma_x_shift = 0,
          .chroma_y_shift = 0,
          .planes = 1,
          .plane = {{{1, bytes, 0}}},
          .color = {{{0, r, bytes}, {0, g, bytes}, {0, b, bytes}}},
          .fourth = {0, fourth, bytes}};
}

// One plane in which four bytes hold two pixels of a line: two Y, one Cb, one Cr.
constexpr FormatInfo packed_422(const char* name, uint8_t y, uint8_t cb, uint8_t cr) {
  return {.name = name,
          .yuv = true,
          .alpha = false,
          .has_fourth = false,
          .chroma_x_shift = 1,
          .chroma_y_shift = 0,
          .planes = 1,
          .plane = {{{2, 4, 0}}},
          .color = {{{0, y, 2}, {0, cb, 4}, {0, cr, 4}}},
          .fourth = {}};
}

constexpr FormatInfo kI420Info = {.name = "I420",
                                  .yuv = true,
                                  .alpha = false,
                                  .has_fourth = false,
                                  .chroma_x_shift = 1,
                                  .chroma_y_shift = 1,
                                  .planes = 3,
                                  .plane = {{{1, 1, 0}, {2, 1, 1}, {2, 1, 1}}},
                                  .color = {{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
                                  .fourth = {}};
constexpr FormatInfo kNv12Info = {.name = "NV12",
                                  .yuv = true,
                                  .alpha = false,
                                  .has_fourth = false,
                                  .chroma_x_shift = 1,
                                  .chroma_y_shift = 1,
                                  .planes = 2,
                                  .plane = {{{1, 1, 0}, {2, 2, 1}}},
                                  .color = {{{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
                                  .fourth = {}};

// In the order of PixelFormat.
constexpr std::array<FormatInfo, kPixelFormats> kFormats = {
    rgb("RGB", 3, 0, 1, 2, 0, false),
    rgb("BGR", 3, 2, 1, 0, 0, false),
    rgb("RGBx", 4, 0, 1, 2, 3, false),
    rgb("BGRx", 4, 2, 1, 0, 3, false),
    rgb("xRGB", 4, 1, 2, 3, 0, false),
    rgb("xBGR", 4, 3, 2, 1, 0, false),
    rgb("RGBA", 4, 0, 1, 2, 3, true),
    rgb("BGRA", 4, 2, 1, 0, 3, true),
    rgb("ARGB", 4, 1, 2, 3, 0, true),
    rgb("ABGR", 4, 3, 2, 1, 0, true),
    kI420Info,
    kNv12Info,
    packed_422("YUY2", 0, 1, 3),
    packed_422("UYVY", 1, 0, 2),
};

}  // namespace

const FormatInfo& info_of(PixelFormat format) { return kFormats[static_cast<size_t>(format)]; }

int32_t row_bytes(const FormatInfo& info, int plane, int32_t width) {
  const PlaneInfo& layout = info.plane[plane];
  return (width + layout.block_width - 1) / layout.block_width * layout.block_bytes;
}

int32_t row_count(const FormatInfo& info, int plane, int32_t height) {
  return subsampled(height, info.plane[plane].y_shift);
}

}  // namespace sdv2
