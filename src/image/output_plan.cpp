// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/output_plan.h"

#include <string>

#include "image/byte_rounding.h"
#include "image/chroma_siting.h"

namespace sdv2 {
namespace {

// One dimension of a grid.
struct Line {
  int32_t size;   // samples
  int32_t begin;  // the resampled ones: begin … begin+length-1
  int32_t length;
  ResampleFilter filter;
};

// Pixels from … from+pixels-1 are scaled to pixels to … to+length-1 of `picture` pixels, of which every
// 2^shift-th has a sample; the first one's middle is at pixel coordinate `middle`. `to` is a sample's first
// pixel.
Line line_to(int32_t from, int32_t pixels, int32_t to, int32_t length, int32_t picture, int shift,
             double middle) {
  const int32_t begin = to >> shift;
  const int32_t samples = subsampled(to + length, shift) - begin;
  const double pitch = 1 << shift;  // pixels per sample
  const double scale = static_cast<double>(pixels) / length;
  return {subsampled(picture, shift), begin, samples,
          make_resample_filter({.begin = from + (middle - pitch / 2) * scale,
                                .step = pitch * scale,
                                .size = samples,
                                .lowest = from,
                                .end = from + pixels})};
}

SampleGrid grid_of(Line across, Line down) {
  return {{across.size, down.size},
          {across.begin, down.begin, across.length, down.length},
          std::move(across.filter),
          std::move(down.filter)};
}

}  // namespace

Result<OutputPlan> make_output_plan(const ImageSpec& spec, Size source, Size processing, Fit fit) {
  SDV2_CHECK(check(spec));
  for (const Size size : {source, processing})
    if (size.width < 1 || size.height < 1)
      return Error{ErrorCode::kInvalidArgument, "picture of " + std::to_string(size.width) + "x" +
                                                    std::to_string(size.height) + " has no pixels"};
  const FormatInfo& info = info_of(spec.format);
  const OutputFit rects = output_fit(fit, source, processing, spec.size);
  const auto grid = [&](const Rect& from, int x_shift, double x_middle, int y_shift, double y_middle) {
    const Rect& to = rects.target;
    return grid_of(line_to(from.x, from.width, to.x, to.width, spec.size.width, x_shift, x_middle),
                   line_to(from.y, from.height, to.y, to.height, spec.size.height, y_shift, y_middle));
  };
  OutputPlan plan{spec,
                  source,
                  processing,
                  grid(rects.processed, 0, 0.5, 0, 0.5),
                  {},
                  {},
                  bytes_from_rgb(spec.matrix, spec.range),
                  {}};
  if (info.yuv)
    plan.chroma = grid(rects.processed, info.chroma_x_shift, chroma_middle_across(spec), info.chroma_y_shift,
                       chroma_middle_down(spec));
  if (info.alpha) plan.alpha = grid(rects.source, 0, 0.5, 0, 0.5);
  for (int c = 0; c < 3; ++c) plan.black[c] = rounded_byte(plan.transform.offset[c]);
  return plan;
}

}  // namespace sdv2
