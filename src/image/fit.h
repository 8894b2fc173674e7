// SPDX-License-Identifier: LGPL-2.1-or-later
// How a picture of another shape is fitted into the processing size, and how the restyled picture goes back.
#pragma once

#include <cstdint>

namespace sdv2 {

struct Size {
  int32_t width = 0;
  int32_t height = 0;

  bool operator==(const Size&) const = default;
};

// Pixels x … x+width-1 of rows y … y+height-1.
struct Rect {
  int32_t x = 0;
  int32_t y = 0;
  int32_t width = 0;
  int32_t height = 0;

  bool operator==(const Rect&) const = default;
};

enum class Fit : uint8_t {
  kStretch,    // the whole picture fills the processing size; its shape changes
  kCrop,       // the middle of the picture fills the processing size; its shape is kept, the rest is cut off
  kLetterbox,  // the whole picture stands in the middle of the processing size, with black bars
};

// The largest rectangle of content's shape in the middle of `frame`. Its edges are even, or the frame's own,
// so that no chroma sample is shared with what lies outside; its shape is right to within a pixel or two.
Rect fit_inside(Size content, Size frame);

// `source` (of the source picture) is scaled to `target` (of the processing size); the rest is black.
struct InputFit {
  Rect source;
  Rect target;
};
InputFit input_fit(Fit fit, Size source, Size processing);

// `processed` (of the processing size) shows what `source` of the source picture showed, and is scaled to
// `target` of the output; the rest is black and opaque.
//
// Stretch fills the output. Otherwise the restyled part keeps its shape and stands in the middle of the
// output. At the source's size that is the place it was taken from: letterbox fills the output again, without
// the bars; crop fills the rectangle that it was cut from, and what was not restyled is never shown. At the
// processing size the output is the processed picture itself.
struct OutputFit {
  Rect processed;
  Rect source;
  Rect target;
};
OutputFit output_fit(Fit fit, Size source, Size processing, Size output);

}  // namespace sdv2
