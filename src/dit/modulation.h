// SPDX-License-Identifier: LGPL-2.1-or-later
// How the time vectors act on tokens: one vector per frame, the same for all tokens of the frame.
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

// x·(1 + scale) + shift. x [R, F·S, dim], shift and scale [R, F, dim]. Rounds after each operation.
at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

// x + y·gate. x and y [R, F·S, dim], gate [R, F, dim]. Rounds after each operation.
at::Tensor add_gated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate);

}  // namespace sdv2
