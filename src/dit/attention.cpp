// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/attention.h"

#include <ATen/ATen.h>

namespace sdv2 {

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const auto heads_first = [](const at::Tensor& x) { return x.transpose(1, 2); };  // [R, heads, tokens, 128]
  return heads_first(at::scaled_dot_product_attention(heads_first(q), heads_first(k), heads_first(v)));
}

}  // namespace sdv2
