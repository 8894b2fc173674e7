// SPDX-License-Identifier: LGPL-2.1-or-later
// How pictures of one kind become the model's input: geometry, filters and colours, computed once.
#pragma once

#include "base/result.h"
#include "image/image.h"
#include "image/input_pixel.h"

namespace sdv2 {

// Planes are resampled first, each straight to the processing size, and colours converted after that: both
// steps are linear, and so the matrix is applied to the fewest pixels.
struct InputPlan {
  ImageSpec spec;
  Size size;  // processing size
  Rect target;
  ColorTransform transform;
  ResampleFilter luma_across, luma_down;      // Y, or all components of RGB formats
  ResampleFilter chroma_across, chroma_down;  // Cb and Cr; empty for RGB formats
};

// Fails when the spec is invalid or the processing size empty.
Result<InputPlan> make_input_plan(const ImageSpec& spec, Size processing, Fit fit);

// Views of the plan's tables, wherever they are.
struct InputFilters {
  FilterView luma_across, luma_down;
  FilterView chroma_across, chroma_down;
};
InputFilters host_filters(const InputPlan& plan);

// Arguments for a checked picture of the plan's spec. They point into the filters' tables and the picture.
InputArgs input_args(const InputPlan& plan, const InputFilters& filters, const ImageView& image);

}  // namespace sdv2
