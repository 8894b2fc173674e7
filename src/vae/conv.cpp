// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/conv.h"

#include <ATen/ATen.h>

namespace sdv2 {

at::Tensor upsample_nearest(const at::Tensor& x) {
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

void Conv2d::list(const ParamScope& p) {
  p("weight", weight, {out, in, kernel, kernel});
  if (bias_use == Bias::kAdd) p("bias", bias, {out});
}

at::Tensor Conv2d::forward(const at::Tensor& x) const {
  return at::conv2d(x, weight, bias, at::IntArrayRef{stride, stride}, at::IntArrayRef{padding, padding});
}

void Conv3d::list(const ParamScope& p) {
  p("weight", weight, {out, in, time_kernel, spatial_kernel, spatial_kernel});
  p("bias", bias, {out});
}

at::Tensor Conv3d::forward(const at::Tensor& x) const {
  const int64_t padding = spatial_kernel / 2;
  const at::Tensor volume = x.transpose(0, 1).unsqueeze(0);  // [1, in, T, H, W], a view
  const at::Tensor y = at::conv3d(volume, weight, bias, at::IntArrayRef{time_stride, 1, 1},
                                  at::IntArrayRef{0, padding, padding});
  return y.squeeze(0).transpose(0, 1);
}

at::Tensor Conv3d::forward_causal(const at::Tensor& x, at::Tensor& history) const {
  const at::Tensor past = history.defined() ? history : at::zeros({2, in, x.size(2), x.size(3)}, x.options());
  const at::Tensor frames = at::cat({past, x});      // [2 + T, in, H, W]
  history = frames.narrow(0, x.size(0), 2).clone();  // a copy, so that `frames` is not kept alive
  return forward(frames);
}

}  // namespace sdv2
