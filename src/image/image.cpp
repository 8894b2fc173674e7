// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/image.h"

#include <cstring>
#include <string>

namespace sdv2 {
namespace {

Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, "picture: " + std::move(message)}; }

}  // namespace

Result<void> check(const ImageSpec& spec) {
  if (static_cast<int>(spec.format) >= kPixelFormats)
    return invalid("unknown pixel format " + std::to_string(static_cast<int>(spec.format)));
  for (const auto& [name, side] : {std::pair{"width", spec.size.width}, {"height", spec.size.height}})
    if (side < 1 || side > kMaxImageSide)
      return invalid(std::string(name) + " is " + std::to_string(side) + "; must be 1 to " +
                     std::to_string(kMaxImageSide));
  if (spec.matrix > ColorMatrix::kBt2020)
    return invalid("unknown colour matrix " + std::to_string(static_cast<int>(spec.matrix)));
  if (spec.range > ColorRange::kLimited)
    return invalid("unknown colour range " + std::to_string(static_cast<int>(spec.range)));
  const FormatInfo& info = info_of(spec.format);
  if (info.yuv && spec.matrix == ColorMatrix::kRgb)
    return invalid(std::string("format ") + info.name + " needs the colour matrix BT.601, BT.709 or BT.2020");
  if (!info.yuv && spec.matrix != ColorMatrix::kRgb)
    return invalid(std::string("format ") + info.name + " takes no colour matrix but RGB");
  return {};
}

Result<void> check(const ImageView& image) {
  SDV2_CHECK(check(image.spec));
  const FormatInfo& info = info_of(image.spec.format);
  for (int plane = 0; plane < info.planes; ++plane) {
    if (image.planes[plane] == nullptr)
      return invalid("plane " + std::to_string(plane) + " of format " + info.name + " is null");
    const int32_t needed = row_bytes(info, plane, image.spec.size.width);
    if (image.strides[plane] < needed)
      return invalid("stride of plane " + std::to_string(plane) + " is " +
                     std::to_string(image.strides[plane]) + "; format " + info.name + " at width " +
                     std::to_string(image.spec.size.width) + " needs at least " + std::to_string(needed));
  }
  return {};
}

int64_t packed_size(const ImageSpec& spec) {
  const FormatInfo& info = info_of(spec.format);
  int64_t size = 0;
  for (int plane = 0; plane < info.planes; ++plane)
    size += int64_t{row_bytes(info, plane, spec.size.width)} * row_count(info, plane, spec.size.height);
  return size;
}

void pack(const ImageView& image, uint8_t* out) {
  const FormatInfo& info = info_of(image.spec.format);
  for (int plane = 0; plane < info.planes; ++plane) {
    const int64_t bytes = row_bytes(info, plane, image.spec.size.width);
    const int64_t rows = row_count(info, plane, image.spec.size.height);
    if (image.strides[plane] == bytes) {
      std::memcpy(out, image.planes[plane], bytes * rows);
    } else {
      for (int64_t row = 0; row < rows; ++row)
        std::memcpy(out + row * bytes, image.planes[plane] + row * image.strides[plane], bytes);
    }
    out += bytes * rows;
  }
}

ImageView view_of(const PackedImage& image) {
  const FormatInfo& info = info_of(image.spec.format);
  ImageView view{image.spec, {}, {}};
  const uint8_t* data = image.data;
  for (int plane = 0; plane < info.planes; ++plane) {
    view.planes[plane] = data;
    view.strides[plane] = row_bytes(info, plane, image.spec.size.width);
    data += int64_t{view.strides[plane]} * row_count(info, plane, image.spec.size.height);
  }
  return view;
}

AlphaView alpha_of(const ImageView& image) {
  const FormatInfo& info = info_of(image.spec.format);
  if (!info.alpha) return {};
  return {image.planes[info.fourth.plane] + info.fourth.offset, info.fourth.step,
          image.strides[info.fourth.plane]};
}

}  // namespace sdv2
