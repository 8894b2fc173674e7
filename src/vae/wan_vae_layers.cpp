// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/wan_vae_layers.h"

#include <ATen/ATen.h>

#include <cmath>

#include "vae/latent_scale.h"

namespace sdv2 {

void WanRmsNorm::list(const ParamScope& p) {
  if (image)
    p("gamma", gamma, {channels, 1, 1});
  else
    p("gamma", gamma, {channels, 1, 1, 1});
}

at::Tensor WanRmsNorm::forward(const at::Tensor& x) const {
  // As the reference's normalisation: the norm is summed in float32 and rounded to the type of x.
  const at::Tensor norm = at::linalg_vector_norm(x, 2, at::IntArrayRef{1}, /*keepdim=*/true).clamp_min(1e-12);
  return x / norm * std::sqrt(static_cast<double>(channels)) * gamma.view({-1, 1, 1});
}

at::Tensor WanStem::forward(const at::Tensor& x, LayerState& state) const {
  return conv_.forward_causal(x, state.history[0]);
}

WanResidual::WanResidual(int64_t in, int64_t out)
    : norm1_{in}, norm2_{out}, conv1_{in, out}, conv2_{out, out} {
  if (in != out) shortcut_ = Conv3d{.in = in, .out = out, .time_kernel = 1, .spatial_kernel = 1};
}

void WanResidual::list(const ParamScope& p) {
  // The numbers are positions in the reference's sequence RMS, SiLU, conv, RMS, SiLU, dropout, conv.
  const ParamScope residual = p / "residual";
  norm1_.list(residual / 0);
  conv1_.list(residual / 2);
  norm2_.list(residual / 3);
  conv2_.list(residual / 6);
  if (shortcut_) shortcut_->list(p / "shortcut");
}

at::Tensor WanResidual::forward(const at::Tensor& x, LayerState& state) const {
  at::Tensor y = conv1_.forward_causal(at::silu(norm1_.forward(x)), state.history[0]);  // [T, out, H, W]
  y = conv2_.forward_causal(at::silu(norm2_.forward(y)), state.history[1]);
  return y + (shortcut_ ? shortcut_->forward(x) : x);
}

WanAttention::WanAttention(int64_t dim)
    : norm_{dim, /*image=*/true},
      to_qkv_{.in = dim, .out = 3 * dim, .kernel = 1, .padding = 0},
      proj_{.in = dim, .out = dim, .kernel = 1, .padding = 0} {}

void WanAttention::list(const ParamScope& p) {
  norm_.list(p / "norm");
  to_qkv_.list(p / "to_qkv");
  proj_.list(p / "proj");
}

at::Tensor WanAttention::forward(const at::Tensor& x, LayerState&) const {
  const at::Tensor qkv = to_qkv_
                             .forward(norm_.forward(x))  // [T, 3C, h, w]
                             .flatten(2)
                             .transpose(1, 2)
                             .unsqueeze(1)
                             .contiguous();  // [T, one head, h·w, 3C]
  const auto parts = qkv.chunk(3, -1);       // q, k, v [T, 1, h·w, C]
  at::Tensor y = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  y = y.squeeze(1).transpose(1, 2).reshape(x.sizes());  // [T, C, h, w]
  return proj_.forward(y) + x;
}

WanDownsample::WanDownsample(int64_t dim, bool temporal)
    : temporal_(temporal),
      conv_{.in = dim, .out = dim, .stride = 2, .padding = 0},
      time_conv_{.in = dim, .out = dim, .spatial_kernel = 1, .time_stride = 2} {}

void WanDownsample::list(const ParamScope& p) {
  conv_.list(p / "resample" / 1);
  if (temporal_) time_conv_.list(p / "time_conv");
}

at::Tensor WanDownsample::forward(const at::Tensor& x, LayerState& state) const {
  const at::Tensor padded = at::constant_pad_nd(x, {0, 1, 0, 1});  // right and bottom only
  const at::Tensor y = conv_.forward(padded);                      // [T, C, H/2, W/2]
  return temporal_ ? halve_time(y, state.history[0]) : y;
}

at::Tensor WanDownsample::halve_time(const at::Tensor& x, at::Tensor& last_frame) const {
  // The first frame of the stream passes by itself; after it, each
  // output frame sees two new frames and the one before them.
  const bool first = !last_frame.defined();
  const at::Tensor frames = first ? x : at::cat({last_frame, x});  // [1 + 2n, C, h, w]
  TORCH_CHECK(frames.size(0) % 2 == 1, "Wan VAE encoder: ", x.size(0),
              " frames came to a layer that halves their number; ",
              "the first call of a stream takes 1 + 4k pixel frames and later calls a multiple of 4");
  last_frame = x.narrow(0, x.size(0) - 1, 1).clone();
  if (frames.size(0) == 1) return x;
  const at::Tensor halved = time_conv_.forward(frames);  // [n, C, h, w]
  return first ? at::cat({x.narrow(0, 0, 1), halved}) : halved;
}

WanUpsample::WanUpsample(int64_t dim, bool temporal)
    : temporal_(temporal),
      time_conv_{.in = dim, .out = 2 * dim, .spatial_kernel = 1},
      conv_{.in = dim, .out = dim / 2} {}

void WanUpsample::list(const ParamScope& p) {
  conv_.list(p / "resample" / 1);
  if (temporal_) time_conv_.list(p / "time_conv");
}

at::Tensor WanUpsample::forward(const at::Tensor& x, LayerState& state) const {
  const at::Tensor y = temporal_ ? double_time(x, state) : x;  // [T·2, C, h, w]
  return conv_.forward(upsample_nearest(y));                   // [T·2, C/2, 2h, 2w]
}

at::Tensor WanUpsample::double_time(const at::Tensor& x, LayerState& state) const {
  // The first frame of the stream is neither doubled nor
  // remembered: the history of the frame after it is zeros.
  const int64_t alone = state.started ? 0 : 1;
  state.started = true;
  const int64_t n = x.size(0) - alone;
  if (n == 0) return x;
  const at::Tensor pairs =
      time_conv_.forward_causal(x.narrow(0, alone, n), state.history[0]);  // [n, earlier C | later C, h, w]
  const at::Tensor doubled = pairs.reshape({2 * n, x.size(1), x.size(2), x.size(3)});
  return alone == 1 ? at::cat({x.narrow(0, 0, 1), doubled}) : doubled;
}

void WanHead::list(const ParamScope& p) {
  norm_.list(p / 0);
  conv_.list(p / 2);
}

at::Tensor WanHead::forward(const at::Tensor& x, LayerState& state) const {
  return conv_.forward_causal(at::silu(norm_.forward(x)), state.history[0]);
}

WanPosteriorMean::WanPosteriorMean(LatentScale scale)
    : scale_(scale),
      conv_{.in = 2 * kLatentChannels, .out = 2 * kLatentChannels, .time_kernel = 1, .spatial_kernel = 1} {}

at::Tensor WanPosteriorMean::forward(const at::Tensor& x, LayerState&) const {
  const at::Tensor mu = conv_.forward(x).narrow(1, 0, kLatentChannels);  // [T, 16, h, w]
  return scale_ == LatentScale::kNormalised ? normalise_latent(mu) : mu;
}

WanLatentInput::WanLatentInput()
    : conv_{.in = kLatentChannels, .out = kLatentChannels, .time_kernel = 1, .spatial_kernel = 1} {}

at::Tensor WanLatentInput::forward(const at::Tensor& x, LayerState&) const {
  return conv_.forward(denormalise_latent(x));
}

}  // namespace sdv2
