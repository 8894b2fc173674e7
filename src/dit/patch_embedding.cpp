// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/patch_embedding.h"

#include <ATen/ATen.h>

namespace sdv2 {

void PatchEmbedding::list(const ParamScope& p) {
  p("weight", weight_, {dim_, in_dim_, 1, kPatch, kPatch});
  p("bias", bias_, {dim_});
}

at::Tensor PatchEmbedding::forward(const at::Tensor& latents) const {
  const at::Tensor split =
      latents.unflatten(4, {-1, kPatch}).unflatten(3, {-1, kPatch});  // [R, F, c, gh, row, gw, column]
  // A patch's features have the channel slowest. [R, F·gh·gw, c·row·column]
  const at::Tensor patches = split.permute({0, 1, 3, 5, 2, 4, 6}).flatten(4).flatten(1, 3);
  return at::linear(patches, weight_.flatten(1), bias_);  // [R, F·S, dim]
}

}  // namespace sdv2
