// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures in memory that belongs to someone else, checked before use, and their copy into a session's
// staging memory.
#pragma once

#include <array>
#include <cstdint>

#include "base/result.h"
#include "image/fit.h"
#include "image/pixel_format.h"

namespace sdv2 {

constexpr int32_t kMaxImageSide = 16384;

// What a picture's bytes mean.
struct ImageSpec {
  PixelFormat format = PixelFormat::kRgb;
  ColorMatrix matrix = ColorMatrix::kRgb;  // kRgb for RGB formats and only for them
  ColorRange range = ColorRange::kFull;
  Size size;  // pixels, 1 … kMaxImageSide each

  bool operator==(const ImageSpec&) const = default;
};

// A picture: planes as the format has them, strides in bytes.
template <class Byte>
struct BasicImageView {
  ImageSpec spec;
  std::array<Byte*, 3> planes{};
  std::array<int32_t, 3> strides{};

  operator BasicImageView<const Byte>()
      const {  // NOLINT(google-explicit-constructor): as Byte* to const Byte*
    return {spec, {planes[0], planes[1], planes[2]}, strides};
  }
};
using ImageView = BasicImageView<const uint8_t>;
using MutableImageView = BasicImageView<uint8_t>;

// Errors (kInvalidArgument) name the field, its value and what is allowed. For a view: its spec, no plane
// null, no stride shorter than the row.
Result<void> check(const ImageSpec& spec);
Result<void> check(const ImageView& image);

// The staging form of a picture: its planes one after the other, rows without padding.
struct PackedImage {
  ImageSpec spec;
  const uint8_t* data = nullptr;  // packed_size(spec) bytes, not owned
};

// For checked specs. pack() writes packed_size(image.spec) bytes; it is a plain copy.
int64_t packed_size(const ImageSpec& spec);
void pack(const ImageView& image, uint8_t* out);
ImageView view_of(const PackedImage& image);

// The alpha samples of a picture; data is null when it has none (opaque).
struct AlphaView {
  const uint8_t* data = nullptr;
  int32_t step = 0;  // bytes between samples of a row
  int32_t stride = 0;
};
AlphaView alpha_of(const ImageView& image);

}  // namespace sdv2
