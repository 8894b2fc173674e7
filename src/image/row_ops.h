// SPDX-License-Identifier: LGPL-2.1-or-later
// The inner loops over one row of a picture. Simple enough for the compiler to vectorise; built with -O3 and,
// on x86-64, also for AVX2, chosen at run time. No variant contracts products and sums, so all give the same
// bits. Rows do not overlap.
#pragma once

#include <cstdint>

#include "image/color_transform.h"
#include "image/resample_filter.h"

namespace sdv2 {

// Vertical resampling: out[i] = Σ over k < taps of weights[k * weight_step] * rows[k * stride + i], k
// upwards.
void weigh_rows(const uint8_t* rows, int64_t stride, const float* weights, int64_t weight_step, int32_t taps,
                int32_t count, float* out);

// Horizontal resampling of the samples row[step * j]: filter.size results, summed with k upwards.
void resample_row(const float* row, int32_t step, const FilterView& filter, float* out);

// In place: (a, b, c) becomes the transform's three results, clamped to -1…1.
void transform_to_model(const ColorTransform& transform, int32_t count, float* a, float* b, float* c);

// out = result `index` of the transform of (a, b, c).
void transform_component(const ColorTransform& transform, int index, int32_t count, const float* a,
                         const float* b, const float* c, float* out);

// out = mix·restyled + (1-mix)·source, where source is in -1…1; rounded.
void mix_row(const uint8_t* restyled, const float* source, float mix, int32_t count, uint8_t* out);

// Clamped to 0…255 and rounded to the nearest.
void round_row(const float* in, int32_t count, uint8_t* out);

// out[step * i] = in[i].
void scatter_row(const uint8_t* in, int32_t count, int32_t step, uint8_t* out);

}  // namespace sdv2
