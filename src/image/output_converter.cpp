// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/output_converter.h"

#include <algorithm>

#include "image/row_ops.h"

namespace sdv2 {
namespace {

uint8_t* row_of(const MutableImageView& out, const Component& component, int32_t y) {
  return out.planes[component.plane] + int64_t{y} * out.strides[component.plane] + component.offset;
}

// The bytes of one sample row before it is filled: all bars.
struct RowTarget {
  uint8_t* samples;  // where the resampled part begins
  bool inside;       // false: the whole row is bars
};

RowTarget begin_row(const SampleGrid& grid, int32_t y, uint8_t bar, std::vector<uint8_t>& bytes) {
  const Rect& target = grid.target;
  const bool inside = y >= target.y && y < target.y + target.height;
  if (!inside || target.width < grid.size.width) std::fill_n(bytes.begin(), grid.size.width, bar);
  return {bytes.data() + target.x, inside};
}

// Vertical resampling of line y (of the grid's target) of samples `step` bytes apart.
void weigh_line(const ResampleFilter& filter, int32_t y, const uint8_t* plane, int64_t stride, int32_t count,
                float* out) {
  const FilterView view = filter.view();
  weigh_rows(plane + view.first[y] * stride, stride, view.weights + y, view.size, view.taps, count, out);
}

}  // namespace

Result<void> OutputConverter::prepare(const ImageSpec& spec, Size source) {
  if (plan_ && plan_->spec == spec && plan_->source == source) return {};
  SDV2_TRY(plan_, make_output_plan(spec, source, processing_, fit_));
  const bool alpha = info_of(spec.format).alpha;
  for (auto& row : weighed_) row.resize(processing_.width);
  // Alpha comes in rows of the source's pixels, of which it is one byte of up to four.
  if (alpha) weighed_[0].resize(std::max(processing_.width, 4 * source.width));
  component_.resize(processing_.width);
  resampled_.resize(spec.size.width);
  bytes_.resize(spec.size.width + 1);
  return {};
}

Result<void> OutputConverter::convert(const uint8_t* restyled, Size source, const AlphaView& alpha,
                                      const MutableImageView& out) {
  SDV2_CHECK(check(ImageView(out)));
  SDV2_CHECK(prepare(out.spec, source));
  const FormatInfo& info = info_of(out.spec.format);
  write_color(restyled, out, plan_->luma, 0, info.yuv ? 1 : 3);
  if (info.yuv) write_color(restyled, out, plan_->chroma, 1, 3);
  if (info.alpha && alpha.data != nullptr)
    write_alpha(alpha, out);
  else if (info.has_fourth)
    fill_fourth(out);
  return {};
}

// Lines are resampled vertically as R, G, B, then turned into the component that is wanted, then resampled
// horizontally. All steps are linear, and the results of a triangle filter need no clamping in between.
void OutputConverter::write_color(const uint8_t* restyled, const MutableImageView& out,
                                  const SampleGrid& grid, int first_component, int end_component) {
  const FormatInfo& info = info_of(out.spec.format);
  const int64_t area = int64_t{processing_.width} * processing_.height;
  for (int32_t y = 0; y < grid.size.height; ++y) {
    const int32_t line = y - grid.target.y;
    if (line >= 0 && line < grid.target.height)
      for (int c = 0; c < 3; ++c)
        weigh_line(grid.down, line, restyled + c * area, processing_.width, processing_.width,
                   weighed_[c].data());
    for (int c = first_component; c < end_component; ++c) {
      const auto [samples, inside] = begin_row(grid, y, plan_->black[c], bytes_);
      if (inside) {
        transform_component(plan_->transform, c, processing_.width, weighed_[0].data(), weighed_[1].data(),
                            weighed_[2].data(), component_.data());
        resample_row(component_.data(), 1, grid.across.view(), resampled_.data());
        round_row(resampled_.data(), grid.target.width, samples);
      }
      // A packed 4:2:2 line of odd width ends with half a block; its second Y repeats the last.
      const Component& component = info.color[c];
      int32_t count = grid.size.width;
      const int32_t places = row_bytes(info, component.plane, out.spec.size.width) / component.step;
      if (count < places) bytes_[count++] = bytes_[grid.size.width - 1];
      scatter_row(bytes_.data(), count, component.step, row_of(out, component, y));
    }
  }
}

void OutputConverter::write_alpha(const AlphaView& alpha, const MutableImageView& out) {
  const SampleGrid& grid = plan_->alpha;
  const int32_t span = (plan_->source.width - 1) * alpha.step + 1;  // from the first sample to the last
  for (int32_t y = 0; y < grid.size.height; ++y) {
    const auto [samples, inside] = begin_row(grid, y, 255, bytes_);
    if (inside) {
      weigh_line(grid.down, y - grid.target.y, alpha.data, alpha.stride, span, weighed_[0].data());
      resample_row(weighed_[0].data(), alpha.step, grid.across.view(), resampled_.data());
      round_row(resampled_.data(), grid.target.width, samples);
    }
    const Component& component = info_of(out.spec.format).fourth;
    scatter_row(bytes_.data(), grid.size.width, component.step, row_of(out, component, y));
  }
}

void OutputConverter::fill_fourth(const MutableImageView& out) {
  const Component& component = info_of(out.spec.format).fourth;
  std::fill_n(bytes_.begin(), out.spec.size.width, uint8_t{255});
  for (int32_t y = 0; y < out.spec.size.height; ++y)
    scatter_row(bytes_.data(), out.spec.size.width, component.step, row_of(out, component, y));
}

}  // namespace sdv2
