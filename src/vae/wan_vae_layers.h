// SPDX-License-Identifier: LGPL-2.1-or-later
// The layers of the Wan 2.1 VAE: ATen operations, rounded where the reference rounds.
#pragma once

#include <optional>

#include "vae/conv.h"
#include "vae/layer_chain.h"

namespace sdv2 {

// L2 normalisation over the channels, times √C, times gamma.
struct WanRmsNorm {
  int64_t channels = 0;
  bool image = false;  // gamma is stored [C, 1, 1] (attention) instead of [C, 1, 1, 1]
  at::Tensor gamma;

  void list(const ParamScope& p);
  at::Tensor forward(const at::Tensor& x) const;
};

// The first convolution of the encoder and of the decoder.
class WanStem : public Layer {
 public:
  WanStem(int64_t in, int64_t out) : conv_{in, out} {}
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  Conv3d conv_;
};

// RMS, SiLU, conv, RMS, SiLU, conv, + x (through a 1×1×1 conv when the widths differ).
class WanResidual : public Layer {
 public:
  WanResidual(int64_t in, int64_t out);
  void list(const ParamScope& p) override;
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  WanRmsNorm norm1_, norm2_;
  Conv3d conv1_, conv2_;
  std::optional<Conv3d> shortcut_;
};

// Self-attention with one head over the positions of each frame; frames do not see each other.
class WanAttention : public Layer {
 public:
  explicit WanAttention(int64_t dim);
  void list(const ParamScope& p) override;
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  WanRmsNorm norm_;
  Conv2d to_qkv_, proj_;
};

// Halves rows and columns; the temporal kind then halves the number of frames.
class WanDownsample : public Layer {
 public:
  WanDownsample(int64_t dim, bool temporal);
  void list(const ParamScope& p) override;
  // First call [1+2n, C, H, W] → [1+n, C, H/2, W/2], later [2n, …] → [n, …].
  // A spatial one keeps the number of frames.
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;
  FrameGrid output_grid(FrameGrid in) const override {
    return {temporal_ ? in.frames / 2 : in.frames, in.side / 2};
  }

 private:
  at::Tensor halve_time(const at::Tensor& x, at::Tensor& last_frame) const;

  bool temporal_;
  Conv2d conv_;
  Conv3d time_conv_;
};

// The temporal kind first doubles the number of frames; then rows and columns double and channels halve.
class WanUpsample : public Layer {
 public:
  WanUpsample(int64_t dim, bool temporal);
  void list(const ParamScope& p) override;
  // First call [1+n, C, h, w] → [1+2n, C/2, 2h, 2w], later [n, …] → [2n, …].
  // A spatial one keeps the number of frames.
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;
  FrameGrid output_grid(FrameGrid in) const override {
    return {temporal_ ? 2 * in.frames : in.frames, 2 * in.side};
  }

 private:
  at::Tensor double_time(const at::Tensor& x, LayerState& state) const;

  bool temporal_;
  Conv3d time_conv_;
  Conv2d conv_;
};

// RMS, SiLU, conv: the end of the encoder and of the decoder.
class WanHead : public Layer {
 public:
  WanHead(int64_t in, int64_t out) : norm_{in}, conv_{in, out} {}
  void list(const ParamScope& p) override;
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  WanRmsNorm norm_;
  Conv3d conv_;
};

// What an encoder hands out: the posterior mean as it is, or normalised. The diffusion checkpoint decides
// (StreamDiffusionV2's want it raw).
enum class LatentScale { kRaw, kNormalised };

// Behind the encoder: 1×1×1 conv on mean and log-variance, of which the mean is kept.
class WanPosteriorMean : public Layer {
 public:
  explicit WanPosteriorMean(LatentScale scale);
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  LatentScale scale_;
  Conv3d conv_;
};

// In front of the decoder: de-normalisation and 1×1×1 conv.
class WanLatentInput : public Layer {
 public:
  WanLatentInput();
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  Conv3d conv_;
};

}  // namespace sdv2
