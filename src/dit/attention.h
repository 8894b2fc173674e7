// SPDX-License-Identifier: LGPL-2.1-or-later
// Softmax attention, the core of self- and cross-attention.
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

// softmax(q·kᵀ / √128)·v per head, no mask: every query sees every key. q [R, L, heads, 128], k and v [R, T,
// heads, 128] → [R, L, heads, 128].
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

}  // namespace sdv2
