// SPDX-License-Identifier: LGPL-2.1-or-later
// Where subsampled chroma samples stand. Pictures say nothing about it; the rule is GStreamer's default.
#pragma once

#include "image/image.h"

namespace sdv2 {

// Middle of the first chroma sample of a line, in pixels from the picture's left edge (the first pixel's
// middle is at 0.5). Pictures of up to 576 lines: between the two pixels that share it (JPEG, MPEG-1). Higher
// ones: on the left one of them (MPEG-2, H.264). GstVideoInfo's default, GST_VIDEO_CHROMA_SITE_NONE and
// _H_COSITED.
inline double chroma_middle_across(const ImageSpec& spec) {
  const bool shared = info_of(spec.format).chroma_x_shift == 1;
  return shared && spec.size.height <= 576 ? 1.0 : 0.5;
}

// The same for columns: always between the lines that share the sample.
inline double chroma_middle_down(const ImageSpec& spec) {
  return info_of(spec.format).chroma_y_shift == 1 ? 1.0 : 0.5;
}

}  // namespace sdv2
