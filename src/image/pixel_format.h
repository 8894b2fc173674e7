// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory layouts of pictures. Names and layouts are those of GstVideoFormat; every component has 8 bits.
#pragma once

#include <array>
#include <cstdint>

namespace sdv2 {

enum class PixelFormat : uint8_t {
  kRgb,
  kBgr,
  kRgbx,
  kBgrx,
  kXrgb,
  kXbgr,
  kRgba,
  kBgra,
  kArgb,
  kAbgr,
  kI420,
  kNv12,
  kYuy2,
  kUyvy,
};
constexpr int kPixelFormats = 14;

enum class ColorMatrix : uint8_t { kRgb, kBt601, kBt709, kBt2020 };
enum class ColorRange : uint8_t { kFull, kLimited };

// Where a component's samples lie: byte `offset + step * column` of a row of plane `plane`.
struct Component {
  uint8_t plane;
  uint8_t offset;
  uint8_t step;
};

// A plane's row is a run of blocks of `block_bytes` bytes, each for `block_width` pixels of one line; the
// last block may stand over the picture's edge. With y_shift 1 it has a row for every second line.
struct PlaneInfo {
  uint8_t block_width;
  uint8_t block_bytes;
  uint8_t y_shift;
};

struct FormatInfo {
  const char* name;
  bool yuv;
  bool alpha;       // the fourth component is alpha; without it the byte is filler, written as 255
  bool has_fourth;  // there is a byte for alpha or filler
  uint8_t chroma_x_shift;
  uint8_t chroma_y_shift;
  uint8_t planes;
  std::array<PlaneInfo, 3> plane;
  std::array<Component, 3> color;  // R, G, B or Y, Cb, Cr
  Component fourth;
};

// `format` is one of the enumerators.
const FormatInfo& info_of(PixelFormat format);

// Samples of a component along a dimension of `size` pixels, of which every 2^shift-th is stored.
constexpr int32_t subsampled(int32_t size, int shift) { return (size + (1 << shift) - 1) >> shift; }

// Bytes that a row of plane `plane` needs at least, and how many rows the plane has.
int32_t row_bytes(const FormatInfo& info, int plane, int32_t width);
int32_t row_count(const FormatInfo& info, int plane, int32_t height);

}  // namespace sdv2
