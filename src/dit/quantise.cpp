// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/quantise.h"

#include <ATen/ATen.h>

namespace sdv2 {

QuantisedWeight quantise_weight(const at::Tensor& weight, const at::Tensor& bias) {
  constexpr double kLargest = 448;
  const at::Tensor wide = weight.to(at::kFloat);
  const at::Tensor largest = wide.abs().amax(1);  // [out]
  const at::Tensor scales = at::where(largest > 0, largest / kLargest, at::ones_like(largest));
  return {(wide / scales.unsqueeze(1)).clamp(-kLargest, kLargest).to(at::kFloat8_e4m3fn).contiguous(), scales,
          bias.to(at::kFloat).contiguous()};
}

}  // namespace sdv2
