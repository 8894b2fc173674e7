// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights of linear layers in fp8 (e4m3: 3 bits of mantissa, largest number 448), with a factor for each
// output channel: weight[o, i] = values[o, i] · factor[o], factor[o] = the channel's largest magnitude / 448,
// in bf16.
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

struct QuantisedWeight {
  at::Tensor values;  // [out, in], e4m3
  at::Tensor terms;   // [out, 2], bf16: the factor (1 for a channel of zeros) and the bias
};

// weight [out, in] and bias [out], of any floating-point type, rounded to nearest. On the weight's device.
QuantisedWeight quantise_weight(const at::Tensor& weight, const at::Tensor& bias);

}  // namespace sdv2
