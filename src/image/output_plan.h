// SPDX-License-Identifier: LGPL-2.1-or-later
// How the restyled picture goes into output pictures of one kind: geometry, filters and colours, computed
// once.
#pragma once

#include <array>

#include "base/result.h"
#include "image/color_transform.h"
#include "image/fit.h"
#include "image/image.h"
#include "image/resample_filter.h"

namespace sdv2 {

// How samples of one kind (luma or RGB, chroma, alpha) are made: `size` samples, of which `target` are
// resampled and the others show the bars.
struct SampleGrid {
  Size size;
  Rect target;
  ResampleFilter across, down;
};

struct OutputPlan {
  ImageSpec spec;
  Size source;        // of the source picture
  Size processing;    // of the restyled picture
  SampleGrid luma;    // Y, or R, G and B
  SampleGrid chroma;  // YUV formats only
  SampleGrid alpha;   // formats with alpha only; from the source picture
  ColorTransform transform;
  std::array<uint8_t, 3> black;  // the bars' components
};

// Fails when a spec or size is invalid.
Result<OutputPlan> make_output_plan(const ImageSpec& spec, Size source, Size processing, Fit fit);

}  // namespace sdv2
