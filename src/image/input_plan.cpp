// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/input_plan.h"

#include <string>

#include "image/chroma_siting.h"

namespace sdv2 {
namespace {

// Filter from the samples of a component along one dimension of the picture. `begin` and `pixels` are the
// part of the picture that becomes `results` samples; every 2^shift-th pixel has a sample, the first one's
// middle is at pixel coordinate `middle`.
ResampleFilter filter_from(int32_t begin, int32_t pixels, int32_t results, int32_t picture, int shift,
                           double middle) {
  const double pitch = 1 << shift;  // pixels per sample
  return make_resample_filter({.begin = (begin - middle) / pitch + 0.5,
                               .step = pixels / (pitch * results),
                               .size = results,
                               .lowest = 0,
                               .end = subsampled(picture, shift)});
}

}  // namespace

Result<InputPlan> make_input_plan(const ImageSpec& spec, Size processing, Fit fit) {
  SDV2_CHECK(check(spec));
  if (processing.width < 1 || processing.height < 1)
    return Error{ErrorCode::kInvalidArgument, "processing size " + std::to_string(processing.width) + "x" +
                                                  std::to_string(processing.height) + " has no pixels"};
  const InputFit rects = input_fit(fit, spec.size, processing);
  const Rect& source = rects.source;
  const Rect& target = rects.target;
  const auto across = [&](int shift, double middle) {
    return filter_from(source.x, source.width, target.width, spec.size.width, shift, middle);
  };
  const auto down = [&](int shift, double middle) {
    return filter_from(source.y, source.height, target.height, spec.size.height, shift, middle);
  };
  InputPlan plan{spec,           processing,   target, model_from_bytes(spec.matrix, spec.range),
                 across(0, 0.5), down(0, 0.5), {},     {}};
  const FormatInfo& info = info_of(spec.format);
  if (info.yuv) {
    plan.chroma_across = across(info.chroma_x_shift, chroma_middle_across(spec));
    plan.chroma_down = down(info.chroma_y_shift, chroma_middle_down(spec));
  }
  return plan;
}

InputFilters host_filters(const InputPlan& plan) {
  return {plan.luma_across.view(), plan.luma_down.view(), plan.chroma_across.view(), plan.chroma_down.view()};
}

InputArgs input_args(const InputPlan& plan, const InputFilters& filters, const ImageView& image) {
  const FormatInfo& info = info_of(plan.spec.format);
  InputArgs args{};
  for (int i = 0; i < 3; ++i) {
    const bool chroma = info.yuv && i > 0;
    args.planes[i] = image.planes[i];
    args.strides[i] = image.strides[i];
    args.color[i] = info.color[i];
    args.across[i] = chroma ? filters.chroma_across : filters.luma_across;
    args.down[i] = chroma ? filters.chroma_down : filters.luma_down;
  }
  args.transform = plan.transform;
  args.target = plan.target;
  args.size = plan.size;
  return args;
}

}  // namespace sdv2
