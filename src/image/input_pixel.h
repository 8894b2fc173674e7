// SPDX-License-Identifier: LGPL-2.1-or-later
// One pixel of the model's input, as the CUDA kernel computes it. The same operations in the same order as
// the rows of input_converter.cpp, so the bits are equal (-fmad=false for nvcc, -ffp-contract=off on the
// host).
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "image/color_transform.h"
#include "image/fit.h"
#include "image/pixel_format.h"
#include "image/resample_filter.h"

namespace sdv2 {

// Everything that the conversion of a picture needs. Pointers are the device's for the kernel.
struct InputArgs {
  const uint8_t* planes[3];
  int32_t strides[3];
  Component color[3];
  FilterView across[3];  // per component: horizontal, target.width results
  FilterView down[3];    // vertical, target.height results
  ColorTransform transform;
  Rect target;  // where the picture stands
  Size size;    // processing size
};

// Component c at column x, row y of the target rectangle, before the colour transform.
SDV2_HOST_DEVICE inline float input_sample(const InputArgs& args, int c, int32_t x, int32_t y) {
  const Component component = args.color[c];
  const FilterView& across = args.across[c];
  const FilterView& down = args.down[c];
  const int64_t stride = args.strides[component.plane];
  const uint8_t* corner = args.planes[component.plane] + component.offset + down.first[y] * stride +
                          int64_t{across.first[x]} * component.step;
  float sum = 0;
  for (int32_t k = 0; k < across.taps; ++k) {
    const uint8_t* at = corner + int64_t{k} * component.step;
    float column = down.weights[y] * static_cast<float>(at[0]);
    for (int32_t l = 1; l < down.taps; ++l)
      column += down.weights[l * down.size + y] * static_cast<float>(at[l * stride]);
    const float part = across.weights[k * across.size + x] * column;
    sum = k == 0 ? part : sum + part;
  }
  return sum;
}

// R, G, B in -1…1 at column x, row y of the processing size; black outside the target rectangle.
SDV2_HOST_DEVICE inline void input_pixel(const InputArgs& args, int32_t x, int32_t y, float rgb[3]) {
  const int32_t column = x - args.target.x;
  const int32_t row = y - args.target.y;
  const bool inside = column >= 0 && column < args.target.width && row >= 0 && row < args.target.height;
  float in[3] = {};
  for (int c = 0; c < 3 && inside; ++c) in[c] = input_sample(args, c, column, row);
  for (int c = 0; c < 3; ++c) {
    const float* m = args.transform.m[c];
    const float value = m[0] * in[0] + m[1] * in[1] + m[2] * in[2] + args.transform.offset[c];
    const float floored = value > -1.0F ? value : -1.0F;
    rgb[c] = !inside ? -1.0F : (floored < 1.0F ? floored : 1.0F);
  }
}

}  // namespace sdv2
