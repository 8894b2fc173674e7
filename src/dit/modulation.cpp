// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/modulation.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

// [R, F·S, dim] → [R, F, S, dim]
at::Tensor by_frame(const at::Tensor& x, const at::Tensor& vectors) {
  return x.unflatten(1, {vectors.size(1), x.size(1) / vectors.size(1)});
}

}  // namespace

at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return (by_frame(x, scale) * (1 + scale.unsqueeze(2)) + shift.unsqueeze(2)).flatten(1, 2);
}

at::Tensor add_gated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  return x + (by_frame(y, gate) * gate.unsqueeze(2)).flatten(1, 2);
}

}  // namespace sdv2
