// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures for tests: memory of any format, with padded rows whose padding is watched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/image.h"

namespace sdv2::testing {

constexpr uint8_t kPadding = 0xA5;

inline PixelFormat format_at(int index) { return static_cast<PixelFormat>(index); }

inline ImageSpec spec_of(PixelFormat format, Size size, ColorMatrix matrix = ColorMatrix::kBt709,
                         ColorRange range = ColorRange::kLimited) {
  const bool yuv = info_of(format).yuv;
  return {format, yuv ? matrix : ColorMatrix::kRgb, yuv ? range : ColorRange::kFull, size};
}

// Owns the planes of a picture. Rows are `padding` bytes longer than they need to be.
class Picture {
 public:
  explicit Picture(const ImageSpec& spec, int padding = 0) : view_{spec, {}, {}} {
    const FormatInfo& info = info_of(spec.format);
    for (int p = 0; p < info.planes; ++p) {
      view_.strides[p] = row_bytes(info, p, spec.size.width) + padding;
      planes_[p].assign(int64_t{view_.strides[p]} * row_count(info, p, spec.size.height), kPadding);
      view_.planes[p] = planes_[p].data();
    }
  }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  const MutableImageView& view() const { return view_; }
  const ImageSpec& spec() const { return view_.spec; }

  // Component c (3: alpha or filler) at sample (x, y) of its own grid.
  uint8_t& at(int c, int x, int y) {
    const FormatInfo& info = info_of(spec().format);
    const Component& component = c == 3 ? info.fourth : info.color[c];
    return planes_[component.plane][int64_t{y} * view_.strides[component.plane] + component.offset +
                                    int64_t{x} * component.step];
  }
  // Samples of component c.
  Size grid(int c) const {
    const FormatInfo& info = info_of(spec().format);
    const bool chroma = info.yuv && (c == 1 || c == 2);
    return {subsampled(spec().size.width, chroma ? info.chroma_x_shift : 0),
            subsampled(spec().size.height, chroma ? info.chroma_y_shift : 0)};
  }
  int components() const { return info_of(spec().format).has_fourth ? 4 : 3; }

  // Sets every sample of component c to value(x, y).
  template <class Value>
  void fill(int c, const Value& value) {
    for (int y = 0; y < grid(c).height; ++y)
      for (int x = 0; x < grid(c).width; ++x) at(c, x, y) = static_cast<uint8_t>(value(x, y));
  }
  // Any bytes, the same for the same seed.
  void fill_random(uint32_t seed) {
    for (auto& plane : planes_)
      for (auto& byte : plane) byte = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  }
  // Whether the bytes behind the rows are still kPadding.
  bool padding_is_whole() const {
    const FormatInfo& info = info_of(spec().format);
    for (int p = 0; p < info.planes; ++p)
      for (int y = 0; y < row_count(info, p, spec().size.height); ++y)
        for (int x = row_bytes(info, p, spec().size.width); x < view_.strides[p]; ++x)
          if (planes_[p][int64_t{y} * view_.strides[p] + x] != kPadding) return false;
    return true;
  }

 private:
  MutableImageView view_;
  std::vector<uint8_t> planes_[3];
};

}  // namespace sdv2::testing
