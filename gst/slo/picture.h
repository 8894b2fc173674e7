// SPDX-License-Identifier: LGPL-2.1-or-later
// Writing and reading marks in pixels, and recognising equal pictures, for any format with 8-bit components.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "slo/mark_code.h"

namespace sdv2 {

// One colour component of a picture in memory. Luma of YUV and every component of RGB have no subsampling.
struct Component {
  uint8_t* data = nullptr;  // of the top left sample
  ptrdiff_t row_stride = 0;
  ptrdiff_t pixel_stride = 0;
  int width_shift = 0;  // samples per row = ceil(width / 2^width_shift)
  int height_shift = 0;
};

// The components that carry brightness and colour; alpha is left out.
struct PictureView {
  int width = 0;  // pixels
  int height = 0;
  bool rgb = false;  // three components red, green, blue; else luma, then chroma
  int components = 0;
  std::array<Component, 3> component;

  bool can_carry_mark() const { return width >= kMarkWidth && height >= kMarkHeight; }
};

// Draws the mark in the top left corner, without colour. The picture must be able to carry it.
void draw_mark(const PictureView& picture, const MarkBits& bits);

// Brightness of the mark's blocks, of their inner 4 x 4 pixels: edges are blurred by coding. The picture must
// be able to carry a mark.
MarkLevels read_mark_levels(const PictureView& picture);

// One memory plane of a picture.
struct Plane {
  const uint8_t* data = nullptr;
  ptrdiff_t row_stride = 0;
  size_t row_bytes = 0;
  int rows = 0;
};

// Extends `hash` by the plane's rows, of which every `row_step`th is taken (at least 1), after the first
// `skip_rows`. Equal rows give equal hashes, other rows another one with near certainty. Not for security.
uint64_t hash_plane(uint64_t hash, const Plane& plane, int row_step, int skip_rows);

}  // namespace sdv2
