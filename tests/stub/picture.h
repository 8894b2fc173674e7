// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures in the caller's memory, read and written pixel by pixel: plain, exact, slow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "sdv2/sdv2.h"

namespace sdv2::stub {

using Rgba = std::array<uint8_t, 4>;

struct Picture {
  int width = 0;
  int height = 0;
  std::vector<Rgba> pixels;  // rows from the top
  friend bool operator==(const Picture&, const Picture&) = default;
};

// Whether the image can be read and written: known format, sizes, planes and strides. Errors:
// kInvalidArgument.
Result<void> check_image(const sdv2_image* image);

// The image as RGBA; opaque where the format has no alpha. Chroma is taken from the sample that covers a
// pixel.
Picture read_picture(const sdv2_image& image);

// Writes the picture, each pixel changed by `restyle` first, scaled by nearest to the image's size. Chroma is
// that of the first pixel that a sample covers.
void write_picture(const Picture& picture, const std::function<Rgba(const Rgba&)>& restyle,
                   const sdv2_image& image);

}  // namespace sdv2::stub
