// SPDX-License-Identifier: LGPL-2.1-or-later
// From the text encoder's output to the context that the cross-attentions see.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/dit_config.h"
#include "dit/linear.h"

namespace sdv2 {

class TextEmbedding {
 public:
  explicit TextEmbedding(const DitConfig& config);
  void list(const ParamScope& p);

  // prompt [R, text_len, text_dim], rows past the prompt's end zero → [R, text_len, dim].
  at::Tensor forward(const at::Tensor& prompt) const;

 private:
  Linear in_, out_;
};

}  // namespace sdv2
