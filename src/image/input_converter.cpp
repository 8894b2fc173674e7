// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/input_converter.h"

#include <algorithm>

#include "image/row_ops.h"

namespace sdv2 {

Result<void> InputConverter::start(const ImageView& image) {
  SDV2_CHECK(check(image));
  if (!plan_ || plan_->spec != image.spec) {
    SDV2_TRY(plan_, make_input_plan(image.spec, processing_, fit_));
    const FormatInfo& info = info_of(image.spec.format);
    int32_t longest = 0;
    for (int plane = 0; plane < info.planes; ++plane)
      longest = std::max(longest, row_bytes(info, plane, image.spec.size.width));
    weighed_.resize(longest);
    rows_.assign(size_t{3} * processing_.width, -1.0F);
  }
  args_ = input_args(*plan_, host_filters(*plan_), image);
  return {};
}

std::array<const float*, 3> InputConverter::row(int32_t y) {
  const Rect& target = args_.target;
  const int32_t width = processing_.width;
  float* rows[3] = {rows_.data(), rows_.data() + width, rows_.data() + size_t{2} * width};
  const int32_t line = y - target.y;
  if (line < 0 || line >= target.height) {
    std::ranges::fill(rows_, -1.0F);
    return {rows[0], rows[1], rows[2]};
  }
  for (float* row : rows) {
    std::fill(row, row + target.x, -1.0F);
    std::fill(row + target.x + target.width, row + width, -1.0F);
  }

  int weighed_plane = -1;  // the plane that weighed_ was made of; the components of a plane share their lines
  for (int c = 0; c < 3; ++c) {
    const Component& component = args_.color[c];
    const FilterView& down = args_.down[c];
    if (component.plane != weighed_plane) {
      const int64_t stride = args_.strides[component.plane];
      const int32_t bytes = row_bytes(info_of(plan_->spec.format), component.plane, plan_->spec.size.width);
      weigh_rows(args_.planes[component.plane] + down.first[line] * stride, stride, down.weights + line,
                 down.size, down.taps, bytes, weighed_.data());
      weighed_plane = component.plane;
    }
    resample_row(weighed_.data() + component.offset, component.step, args_.across[c], rows[c] + target.x);
  }
  transform_to_model(args_.transform, target.width, rows[0] + target.x, rows[1] + target.x,
                     rows[2] + target.x);
  return {rows[0], rows[1], rows[2]};
}

Result<void> InputConverter::convert(const ImageView& image, float* out) {
  SDV2_CHECK(start(image));
  const int64_t area = int64_t{processing_.width} * processing_.height;
  for (int32_t y = 0; y < processing_.height; ++y) {
    const auto rows = row(y);
    for (int c = 0; c < 3; ++c)
      std::copy_n(rows[c], processing_.width, out + c * area + int64_t{y} * processing_.width);
  }
  return {};
}

}  // namespace sdv2
