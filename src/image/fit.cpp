// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/fit.h"

#include <algorithm>

namespace sdv2 {
namespace {

Rect whole(Size size) { return {0, 0, size.width, size.height}; }

// The even number next to limit·part/of, but all of `limit` where only one would be left over.
int32_t even_share(int32_t limit, int64_t part, int64_t of) {
  const int64_t share = std::max<int64_t>((limit * part + of) / (2 * of) * 2, 2);
  return share + 2 > limit ? limit : static_cast<int32_t>(share);
}

// Where `size` of `limit` begins when it stands in the middle, on an even number.
int32_t even_margin(int32_t limit, int32_t size) { return (limit - size) / 4 * 2; }

}  // namespace

Rect fit_inside(Size content, Size frame) {
  const int64_t across = int64_t{content.width} * frame.height;
  const int64_t down = int64_t{content.height} * frame.width;
  Rect rect = whole(frame);
  if (across > down) {
    rect.height = even_share(frame.height, down, across);
    rect.y = even_margin(frame.height, rect.height);
  } else if (across < down) {
    rect.width = even_share(frame.width, across, down);
    rect.x = even_margin(frame.width, rect.width);
  }
  return rect;
}

InputFit input_fit(Fit fit, Size source, Size processing) {
  return {fit == Fit::kCrop ? fit_inside(processing, source) : whole(source),
          fit == Fit::kLetterbox ? fit_inside(source, processing) : whole(processing)};
}

OutputFit output_fit(Fit fit, Size source, Size processing, Size output) {
  const InputFit input = input_fit(fit, source, processing);
  Rect target = whole(output);
  if (fit == Fit::kCrop) target = fit_inside(processing, output);
  if (fit == Fit::kLetterbox) target = fit_inside(source, output);
  return {input.target, input.source, target};
}

}  // namespace sdv2
