// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/head.h"

#include <ATen/ATen.h>

#include "dit/modulation.h"
#include "dit/norm.h"

namespace sdv2 {
namespace {

// [R, F·S, row·column·c] → [R, F, c, h, w]. Unlike in the patch embedding the channel is fastest.
at::Tensor unpatchify(const at::Tensor& tokens, const TokenGrid& grid) {
  const at::Tensor split =
      tokens.unflatten(-1, {kPatch, kPatch, -1})
          .unflatten(1, {grid.frames, grid.height, grid.width});  // [R, F, gh, gw, row, column, c]
  return split.permute({0, 1, 6, 2, 4, 3, 5}).flatten(5, 6).flatten(3, 4);
}

}  // namespace

Head::Head(const DitConfig& config)
    : dim_(config.dim), eps_(config.eps), head_(config.dim, config.patch_out()) {}

void Head::list(const ParamScope& p) {
  p("modulation", modulation_, {1, 2, dim_});
  head_.list(p / "head");
}

at::Tensor Head::forward(const at::Tensor& x, const at::Tensor& e, const TokenGrid& grid) const {
  const at::Tensor m = modulation_ + e.unsqueeze(2);  // [R, F, 2, dim]
  return project(modulate(layer_norm(x, eps_), m.select(2, 0), m.select(2, 1)), grid);
}

at::Tensor Head::project(const at::Tensor& y, const TokenGrid& grid) const {
  return unpatchify(head_.forward(y), grid);
}

}  // namespace sdv2
