// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/row_ops.h"

#include "image/byte_rounding.h"

// A function for each instruction set, chosen when the program is loaded. Sanitizers are not ready by then.
#if defined(__x86_64__) && !defined(SDV2_SANITIZE)
#define SDV2_ROW_LOOP [[gnu::target_clones("default", "avx2")]]
#else
#define SDV2_ROW_LOOP
#endif

namespace sdv2 {

SDV2_ROW_LOOP void weigh_rows(const uint8_t* rows, int64_t stride, const float* weights, int64_t weight_step,
                              int32_t taps, int32_t count, float* __restrict out) {
  const float first = weights[0];
  for (int32_t i = 0; i < count; ++i) out[i] = first * static_cast<float>(rows[i]);
  for (int32_t k = 1; k < taps; ++k) {
    const uint8_t* row = rows + k * stride;
    const float weight = weights[k * weight_step];
    for (int32_t i = 0; i < count; ++i) out[i] += weight * static_cast<float>(row[i]);
  }
}

SDV2_ROW_LOOP void resample_row(const float* row, int32_t step, const FilterView& filter,
                                float* __restrict out) {
  const int32_t* __restrict first = filter.first;
  const float* __restrict weights = filter.weights;
  const int32_t size = filter.size;
  for (int32_t i = 0; i < size; ++i) {
    const int32_t at = first[i] * step;  // 32 bits, as the instruction that gathers takes them
    out[i] = weights[i] * row[at];
  }
  for (int32_t k = 1; k < filter.taps; ++k) {
    weights += size;
    row += step;
    for (int32_t i = 0; i < size; ++i) {
      const int32_t at = first[i] * step;
      out[i] += weights[i] * row[at];
    }
  }
}

SDV2_ROW_LOOP void transform_to_model(const ColorTransform& transform, int32_t count, float* __restrict a,
                                      float* __restrict b, float* __restrict c) {
  const ColorTransform t = transform;
  for (int32_t i = 0; i < count; ++i) {
    const float in[3] = {a[i], b[i], c[i]};
    float out[3];
    for (int j = 0; j < 3; ++j) {
      const float value = t.m[j][0] * in[0] + t.m[j][1] * in[1] + t.m[j][2] * in[2] + t.offset[j];
      const float floored = value > -1.0F ? value : -1.0F;
      out[j] = floored < 1.0F ? floored : 1.0F;
    }
    a[i] = out[0];
    b[i] = out[1];
    c[i] = out[2];
  }
}

SDV2_ROW_LOOP void transform_component(const ColorTransform& transform, int index, int32_t count,
                                       const float* a, const float* b, const float* c,
                                       float* __restrict out) {
  const float* m = transform.m[index];
  const float m0 = m[0];
  const float m1 = m[1];
  const float m2 = m[2];
  const float offset = transform.offset[index];
  for (int32_t i = 0; i < count; ++i) out[i] = m0 * a[i] + m1 * b[i] + m2 * c[i] + offset;
}

SDV2_ROW_LOOP void mix_row(const uint8_t* restyled, const float* source, float mix, int32_t count,
                           uint8_t* __restrict out) {
  const float rest = 1 - mix;
  for (int32_t i = 0; i < count; ++i)
    out[i] = rounded_byte(mix * static_cast<float>(restyled[i]) + rest * (127.5F * source[i] + 127.5F));
}

SDV2_ROW_LOOP void round_row(const float* in, int32_t count, uint8_t* __restrict out) {
  for (int32_t i = 0; i < count; ++i) out[i] = rounded_byte(in[i]);
}

SDV2_ROW_LOOP void scatter_row(const uint8_t* in, int32_t count, int32_t step, uint8_t* __restrict out) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t at = i * step;
    out[at] = in[i];
  }
}

}  // namespace sdv2
