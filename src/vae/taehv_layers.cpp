// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/taehv_layers.h"

#include <ATen/ATen.h>

#include <vector>

#include "vae/folded_upsampling.h"

namespace sdv2 {
namespace {

constexpr int64_t kGroup = 4;    // pixel frames of one latent frame
constexpr int64_t kDropped = 3;  // of the first latent frame: a stream begins with one pixel frame

// The layers keep the memory format of their input. With the channels of a pixel side by side, convolutions
// read and write without reordering, on CPUs and GPUs alike: the first layers of both chains change to it.
at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace

void TaehvMemoryBlock::list(const ParamScope& p) {
  const ParamScope conv = p / "conv";  // a sequence conv, ReLU, conv, ReLU, conv
  conv1_.list(conv / 0);
  conv2_.list(conv / 2);
  conv3_.list(conv / 4);
}

at::Tensor TaehvMemoryBlock::forward(const at::Tensor& x, LayerState& state) const {
  const int64_t frames = x.size(0);
  at::Tensor& memory = state.history[0];  // [1, C, H, W]
  const at::Tensor before = memory.defined() ? memory : at::zeros_like(x.narrow(0, 0, 1));
  memory = x.narrow(0, frames - 1, 1).clone();

  // [T, C, H, W], one frame behind x. To join no frame at all would cost the memory format.
  const at::Tensor past = frames == 1 ? before : at::cat({before, x.narrow(0, 0, frames - 1)});
  at::Tensor y = conv1_.forward(at::cat({x, past}, 1)).relu_();
  y = conv2_.forward(y).relu_();
  return conv3_.forward(y).add_(x).relu_();
}

TaehvTimePool::TaehvTimePool(int64_t dim, int64_t frames)
    : frames_(frames),
      conv_{.in = frames * dim, .out = dim, .kernel = 1, .padding = 0, .bias_use = Bias::kNone} {}

at::Tensor TaehvTimePool::forward(const at::Tensor& x, LayerState&) const {
  // Earlier frames come first in the channels.
  std::vector<at::Tensor> by_place;  // in their group
  for (int64_t place = 0; place < frames_; ++place) by_place.push_back(x.slice(0, place, x.size(0), frames_));
  return conv_.forward(at::cat(by_place, 1));
}

TaehvTimeGrow::TaehvTimeGrow(int64_t dim, int64_t frames)
    : frames_(frames),
      conv_{.in = dim, .out = frames * dim, .kernel = 1, .padding = 0, .bias_use = Bias::kNone} {}

at::Tensor TaehvTimeGrow::forward(const at::Tensor& x, LayerState&) const {
  const at::Tensor y = conv_.forward(x);
  if (frames_ == 1) return y;
  std::vector<at::Tensor> frames;
  for (int64_t i = 0; i < frames_ * x.size(0); ++i)
    frames.push_back(y.narrow(0, i / frames_, 1).narrow(1, i % frames_ * x.size(1), x.size(1)));
  return at::cat(frames);
}

void TaehvUpsample::prepare() {
  // GPUs have work to hide in; and sums of weights would be rounded to a type of few bits.
  const auto type = conv_.weight.scalar_type();
  if (conv_.weight.is_cpu() && (type == at::kFloat || type == at::kDouble))
    folded_ = fold_upsampling(conv_.weight);
}

at::Tensor TaehvUpsample::forward(const at::Tensor& x, LayerState&) const {
  if (folded_.defined()) return upsample_and_convolve(x, folded_, activation_ == Activation::kRelu);
  const at::Tensor y = conv_.forward(upsample_nearest(x));
  return activation_ == Activation::kRelu ? y.relu_() : y;
}

at::Tensor TaehvConv::forward(const at::Tensor& x, LayerState&) const { return conv_.forward(x); }

at::Tensor TaehvPixelInput::forward(const at::Tensor& x, LayerState& state) const {
  const int64_t rest = x.size(0) % kGroup;
  TORCH_CHECK(rest == 0 || (rest == 1 && !state.started), "TAEHV encoder: a call of ", x.size(0),
              " frames; it takes a multiple of 4, and also 1 + 4k in the first call of a stream");
  state.started = true;
  // [3 + 1 + 4k, 3, H, W]
  const at::Tensor groups = rest == 1 ? at::cat({x.narrow(0, 0, 1).expand({kGroup - 1, -1, -1, -1}), x}) : x;
  return conv_.forward(channels_last(groups)).relu_();
}

at::Tensor TaehvLatentInput::forward(const at::Tensor& x, LayerState&) const {
  return conv_.forward(channels_last(at::tanh(x / 3) * 3)).relu_();
}

at::Tensor TaehvPixelOutput::forward(const at::Tensor& x, LayerState& state) const {
  const int64_t drop = state.started ? 0 : kDropped;
  state.started = true;
  return conv_.forward(x.narrow(0, drop, x.size(0) - drop));
}

}  // namespace sdv2
