// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/quantise.h"

#include <ATen/ATen.h>

namespace sdv2 {

QuantisedWeight quantise_weight(const at::Tensor& weight, const at::Tensor& bias) {
  constexpr double kLargest = 448;
  const at::Tensor wide = weight.to(at::kFloat);
  const at::Tensor largest = wide.abs().amax(1);  // [out]
  // A factor rounded down lets the largest become 450 at most, which is the same number.
  const at::Tensor factor =
      at::where(largest > 0, largest / kLargest, at::ones_like(largest)).to(at::kBFloat16);
  const at::Tensor values = (wide / factor.to(at::kFloat).unsqueeze(1)).clamp(-kLargest, kLargest);
  return {values.to(at::kFloat8_e4m3fn).contiguous(), at::stack({factor, bias.to(at::kBFloat16)}, 1)};
}

}  // namespace sdv2
