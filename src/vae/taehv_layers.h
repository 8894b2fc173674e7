// SPDX-License-Identifier: LGPL-2.1-or-later
// The layers of TAEHV, the tiny autoencoder for Wan latents: 2-D convolutions over frames, and blocks that
// remember one frame.
#pragma once

#include "vae/conv.h"
#include "vae/layer_chain.h"

namespace sdv2 {

// Three convolutions on [this frame | the frame before], + this frame, ReLU. Before a stream there are zeros.
class TaehvMemoryBlock : public Layer {
 public:
  explicit TaehvMemoryBlock(int64_t dim) : conv1_{2 * dim, dim}, conv2_{dim, dim}, conv3_{dim, dim} {}
  void list(const ParamScope& p) override;
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  Conv2d conv1_, conv2_, conv3_;
};

// Merges every `frames` consecutive frames into one: [frames·n, C, H, W] → [n, C, H, W].
class TaehvTimePool : public Layer {
 public:
  TaehvTimePool(int64_t dim, int64_t frames);
  void list(const ParamScope& p) override { conv_.list(p / "conv"); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;
  FrameGrid output_grid(FrameGrid in) const override {
    return {in.frames / static_cast<double>(frames_), in.side};
  }

 private:
  int64_t frames_;
  Conv2d conv_;
};

// Makes `frames` frames of each: [n, C, H, W] → [frames·n, C, H, W]. The reference
// upsamples first; a 1×1 convolution gives the same on either side of a nearest
// upsampling, so ours (in the next layer) follows at a quarter of the work.
class TaehvTimeGrow : public Layer {
 public:
  TaehvTimeGrow(int64_t dim, int64_t frames);
  void list(const ParamScope& p) override { conv_.list(p / "conv"); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;
  FrameGrid output_grid(FrameGrid in) const override {
    return {in.frames * static_cast<double>(frames_), in.side};
  }

 private:
  int64_t frames_;
  Conv2d conv_;
};

enum class Activation { kNone, kRelu };

// Rows and columns doubled (nearest), then a convolution without bias and perhaps a ReLU.
class TaehvUpsample : public Layer {
 public:
  TaehvUpsample(int64_t in, int64_t out, Activation activation)
      : activation_(activation), conv_{.in = in, .out = out, .bias_use = Bias::kNone} {}
  void list(const ParamScope& p) override { conv_.list(p); }
  void prepare() override;
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;
  FrameGrid output_grid(FrameGrid in) const override { return {in.frames, 2 * in.side}; }

 private:
  Activation activation_;
  Conv2d conv_;
  at::Tensor folded_;  // conv_'s weights for what is not upsampled yet; undefined before prepare() and where
                       // it is no use
};

// A convolution alone.
class TaehvConv : public Layer {
 public:
  explicit TaehvConv(Conv2d conv) : conv_(std::move(conv)) {}
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;
  FrameGrid output_grid(FrameGrid in) const override {
    return {in.frames, in.side / static_cast<double>(conv_.stride)};
  }

 private:
  Conv2d conv_;
};

// The encoder's first layer: convolution and ReLU on [4k, 3, H, W]. A stream may also begin with 1 + 4k
// frames: then the first one is taken four times, so that latent frame i ends at pixel frame 4i.
class TaehvPixelInput : public Layer {
 public:
  TaehvPixelInput(int64_t in, int64_t out) : conv_{in, out} {}
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  Conv2d conv_;
};

// The decoder's first layer: soft limit to ±3, convolution, ReLU.
class TaehvLatentInput : public Layer {
 public:
  TaehvLatentInput(int64_t in, int64_t out) : conv_{in, out} {}
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  Conv2d conv_;
};

// The decoder's last layer: a convolution; the first three frames of a stream are dropped.
class TaehvPixelOutput : public Layer {
 public:
  TaehvPixelOutput(int64_t in, int64_t out) : conv_{in, out} {}
  void list(const ParamScope& p) override { conv_.list(p); }
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override;

 private:
  Conv2d conv_;
};

}  // namespace sdv2
