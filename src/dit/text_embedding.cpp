// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/text_embedding.h"

#include <ATen/ATen.h>

namespace sdv2 {

TextEmbedding::TextEmbedding(const DitConfig& config)
    : in_(config.text_dim, config.dim), out_(config.dim, config.dim) {}

void TextEmbedding::list(const ParamScope& p) {
  in_.list(p / 0);
  out_.list(p / 2);
}

at::Tensor TextEmbedding::forward(const at::Tensor& prompt) const {
  return out_.forward(at::gelu(in_.forward(prompt), "tanh"));
}

}  // namespace sdv2
