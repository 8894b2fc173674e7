// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/fused/wan_program.h"

#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include "kernels/packed_conv_spec.h"
#include "vae/latent_scale.h"

namespace sdv2 {
namespace {

using Kind = FusedWanLayer::Kind;

constexpr int kHistory = 2;  // frames that a causal convolution of three sees beside the new one

// Rows of the attention's scores at a time: bounds their memory (60 MB at 1280×720), and for usual sizes they
// stay in the L2 cache.
constexpr int64_t kQueryRows = 2048;

FrameTensor tensor_of(const FrameBuffer* buffer) {
  return buffer == nullptr ? FrameTensor{} : buffer->fresh_frames();
}

}  // namespace

FrameTensor FrameBuffer::fresh_frames() const {
  return {frames.data_ptr(), {fresh + history, history > 0 ? fresh : 0, history}};
}

FrameTensor FrameBuffer::all_frames(int skip) const {
  return {frames.data_ptr(), {fresh + history, history > 0 ? fresh : 0, skip}};
}

WanProgram::WanProgram(std::span<const FusedWanLayer> layers, int64_t height, int64_t width,
                       at::Device device)
    : layers_(layers), device_(device) {
  chunk_ = at::zeros({1}, at::TensorOptions().dtype(at::kInt).device(device_));
  Activation a{.frames = layers_[0].frames, .channels = layers_[0].in, .height = height, .width = width};
  add_entry(a);
  for (size_t i = 0; i < layers_.size(); ++i) add_layer(i, a);
  if (!output_.defined()) output_ = a.x.frames.permute({0, 3, 1, 2});
  add([chunk = chunk_](cudaStream_t stream) {
    C10_CUDA_CHECK(launch_next_chunk(chunk.data_ptr<int>(), stream));
  });
}

void WanProgram::run() const {
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(device_.index());
  for (const Step& step : steps_) step(stream);
}

void WanProgram::load(std::span<const LayerState> states) const {
  for (const History& history : histories_) {
    const at::Tensor& past = states[history.layer].history[history.which];
    const at::Tensor target =
        history.buffer.frames.narrow(0, history.skip, history.buffer.history - history.skip)
            .narrow(3, 0, history.channels);
    if (past.defined())
      target.copy_(past.permute({0, 2, 3, 1}));
    else
      target.zero_();
  }
  chunk_.zero_();
}

void WanProgram::store(std::span<LayerState> states, int64_t runs) const {
  for (LayerState& state : states) state.started = true;
  for (const History& history : histories_) {
    std::vector<at::Tensor> frames;
    const FrameSlots slots = history.buffer.all_frames(history.skip).at;
    for (int frame = 0; frame < history.buffer.history - history.skip; ++frame)
      frames.push_back(
          history.buffer.frames.select(0, slots.slot(runs, frame)).narrow(2, 0, history.channels));
    states[history.layer].history[history.which] = at::stack(frames).permute({0, 3, 1, 2});
  }
}

FrameBuffer WanProgram::plain(int frames, int64_t height, int64_t width, int channels) const {
  const auto options = at::TensorOptions().dtype(at::kBFloat16).device(device_);
  return {at::empty({frames, height, width, channels}, options), frames, 0};
}

// Zeros, for the channels that fill it up.
FrameBuffer WanProgram::ring(int frames, int64_t height, int64_t width, int channels) const {
  const auto options = at::TensorOptions().dtype(at::kBFloat16).device(device_);
  return {at::zeros({frames + kHistory, height, width, channels}, options), frames, kHistory};
}

void WanProgram::remember(size_t layer, size_t which, const FrameBuffer& buffer, int channels, int skip) {
  histories_.push_back({layer, which, buffer, channels, skip});
}

void WanProgram::add_conv(const PackedConv& conv, const FrameTensor& in, int64_t height, int64_t width,
                          int frames, int group_step, const FrameBuffer* residual, const FrameBuffer* x,
                          const FrameBuffer* y, const at::Tensor& gamma) {
  DirectConvSpec spec = spec_of(conv, in, height, width, frames, group_step, chunk_.const_data_ptr<int>());
  if (y != nullptr) spec.gamma = gamma.const_data_ptr<float>();
  spec.residual = tensor_of(residual);
  spec.x = tensor_of(x);
  spec.y = tensor_of(y);
  auto made = DirectConv::create(spec);
  TORCH_CHECK(made.ok(), made.error().message);
  // The tensors that it refers to live as long as it does.
  std::vector<at::Tensor> keep;
  for (const FrameBuffer* buffer : {residual, x, y})
    if (buffer != nullptr) keep.push_back(buffer->frames);
  add([made = *std::move(made), keep = std::move(keep)](cudaStream_t stream) {
    C10_CUDA_CHECK(made.launch(stream));
  });
}

void WanProgram::add_frame_op(FrameOp op, const FrameBuffer& in, const FrameTensor& out,
                              const at::Tensor& gamma) {
  const int64_t pixels = in.frames.size(1) * in.frames.size(2);
  const auto channels = static_cast<int>(in.frames.size(3));
  const float* const factors = gamma.defined() ? gamma.const_data_ptr<float>() : nullptr;
  add([=, this](cudaStream_t stream) {
    C10_CUDA_CHECK(launch_frame_op(op, in.fresh_frames(), out, factors, chunk_.const_data_ptr<int>(), pixels,
                                   in.fresh, channels, stream));
  });
}

FrameBuffer WanProgram::input_ring(size_t i, const Activation& a) {
  FrameBuffer buffer = ring(a.frames, a.height, a.width, a.channels);
  remember(i, 0, buffer, a.channels);
  return buffer;
}

void WanProgram::end_layer(size_t i, const PackedConv& conv, const FrameTensor& in, int64_t in_height,
                           int64_t in_width, int group_step, const FrameBuffer* residual,
                           const FrameBuffer* in_place, Activation& a) {
  const size_t next = i + 1;
  const bool normed = next < layers_.size() && layers_[next].begins_with_norm();
  const bool norm_fused = normed && conv.tile.channels == a.channels;
  const bool wants_x = !has(next, Kind::kHead) || !norm_fused;
  FrameBuffer x, y;
  if (wants_x) {
    if (next < layers_.size() && layers_[next].remembers_input())
      x = input_ring(next, a);
    else
      x = in_place != nullptr ? *in_place : plain(a.frames, a.height, a.width, a.channels);
  }
  if (normed) y = input_ring(next, a);
  const at::Tensor gamma = normed ? layers_[next].gamma1 : at::Tensor();
  add_conv(conv, in, in_height, in_width, a.frames, group_step, residual, wants_x ? &x : nullptr,
           norm_fused ? &y : nullptr, gamma);
  if (normed && !norm_fused) add_frame_op(FrameOp::kNormSilu, x, y.fresh_frames(), gamma);
  a.x = x;
  a.normed = y;
}

// Frames that come from outside, in the form that the first layer wants.
void WanProgram::add_entry(Activation& a) {
  const auto options = at::TensorOptions().dtype(at::kBFloat16).device(device_);
  const FusedWanLayer& first = layers_[0];
  if (first.kind == Kind::kStem || first.kind == Kind::kLatentInput) {
    input_ = at::empty({a.frames, a.channels, a.height, a.width}, options);
    return;
  }
  a.x = plain(a.frames, a.height, a.width, a.channels);
  input_ = a.x.frames.permute({0, 3, 1, 2});
  if (first.begins_with_norm()) {
    a.normed = input_ring(0, a);
    add_frame_op(FrameOp::kNormSilu, a.x, a.normed.fresh_frames(), first.gamma1);
  } else if (first.remembers_input()) {
    const FrameBuffer outside = a.x;
    a.x = input_ring(0, a);
    add_frame_op(FrameOp::kCopy, outside, a.x.fresh_frames(), {});
  }
}

void WanProgram::add_layer(size_t i, Activation& a) {
  switch (layers_[i].kind) {
    case Kind::kLatentInput:
    case Kind::kPosteriorMean:
      return;  // done with the layer behind it, and before it
    case Kind::kStem:
      return add_stem(i, a);
    case Kind::kResidual:
      return add_residual(i, a);
    case Kind::kAttention:
      return add_attention(i, a);
    case Kind::kDownsample:
      return add_downsample(i, a);
    case Kind::kUpsample:
      return add_upsample(i, a);
    case Kind::kHead:
      return add_head(i, a);
  }
}

void WanProgram::add_stem(size_t i, Activation& a) {
  const FusedWanLayer& layer = layers_[i];
  const int64_t height = a.height, width = a.width;
  a.channels = layer.out;
  if (layer.in == 3) {
    const auto options = at::TensorOptions().dtype(at::kBFloat16).device(device_);
    // [2, H, W, 3] in name, for the history's sake; [2, 3, H, W] in memory.
    const at::Tensor past = at::zeros({kHistory, 3, height, width}, options);
    histories_.push_back({i, 0, {past.permute({0, 2, 3, 1}), 0, kHistory}, 3, 0});
    const FrameBuffer packed = plain(a.frames, height, width, kChannelStep);
    add([=, this](cudaStream_t stream) {
      C10_CUDA_CHECK(launch_pack_pictures(past.const_data_ptr(), input_.const_data_ptr(),
                                          packed.frames.data_ptr(), static_cast<int>(height),
                                          static_cast<int>(width), stream));
      const at::Tensor last = input_.narrow(0, input_.size(0) - kHistory, kHistory);
      C10_CUDA_CHECK(cudaMemcpyAsync(past.data_ptr(), last.const_data_ptr(), past.nbytes(),
                                     cudaMemcpyDeviceToDevice, stream));
    });
    return end_layer(i, layer.conv1, packed.fresh_frames(), height, width, layer.conv1.tile.frames, nullptr,
                     nullptr, a);
  }
  at::Tensor weight, bias;  // of the layer in front
  if (i > 0) {
    weight = layers_[i - 1].latent_weight;
    bias = layers_[i - 1].latent_bias;
  } else {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(device_);
    weight = at::eye(kLatentChannels, options);
    bias = at::zeros({kLatentChannels}, options);
  }
  const FrameBuffer latents = ring(a.frames, height, width, kChannelStep);
  remember(i, 0, latents, kLatentChannels);
  add([=, this](cudaStream_t stream) {
    C10_CUDA_CHECK(launch_latent_conv(input_.const_data_ptr(), weight.const_data_ptr<float>(),
                                      bias.const_data_ptr<float>(), latents.fresh_frames(),
                                      chunk_.const_data_ptr<int>(), height * width, latents.fresh, stream));
  });
  end_layer(i, layer.conv1, latents.all_frames(), height, width, layer.conv1.tile.frames, nullptr, nullptr,
            a);
}

void WanProgram::add_residual(size_t i, Activation& a) {
  const FusedWanLayer& layer = layers_[i];
  const FrameBuffer in = a.normed, x = a.x;
  const int group = layer.conv1.tile.frames;
  a.channels = layer.out;
  const FrameBuffer between = ring(a.frames, a.height, a.width, layer.out);
  remember(i, 1, between, layer.out);
  if (layer.conv1.tile.channels == layer.out) {
    add_conv(layer.conv1, in.all_frames(), a.height, a.width, a.frames, group, nullptr, nullptr, &between,
             layer.gamma2);
  } else {
    const FrameBuffer sums = plain(a.frames, a.height, a.width, layer.out);
    add_conv(layer.conv1, in.all_frames(), a.height, a.width, a.frames, group, nullptr, &sums, nullptr, {});
    add_frame_op(FrameOp::kNormSilu, sums, between.fresh_frames(), layer.gamma2);
  }
  FrameBuffer residual = x;
  if (layer.shortcut) {
    residual = plain(a.frames, a.height, a.width, layer.out);
    add_conv(*layer.shortcut, x.fresh_frames(), a.height, a.width, a.frames, layer.shortcut->tile.frames,
             nullptr, &residual, nullptr, {});
  }
  end_layer(i, layer.conv2, between.all_frames(), a.height, a.width, group, &residual, &residual, a);
}

void WanProgram::add_attention(size_t i, Activation& a) {
  const FusedWanLayer& layer = layers_[i];
  const int64_t positions = a.height * a.width, channels = a.channels;
  const FrameBuffer x = a.x, normed = plain(a.frames, a.height, a.width, a.channels);
  const auto options = x.frames.options();
  const at::Tensor qkv = at::empty({positions, 3 * channels}, options);
  const at::Tensor mixed = at::empty({positions, channels}, options), out = at::empty_like(mixed);
  const at::Tensor scores = at::empty({std::min(positions, kQueryRows), positions}, options);
  add_frame_op(FrameOp::kNorm, x, normed.fresh_frames(), layer.gamma1);
  add([=](cudaStream_t stream) {
    for (int64_t frame = 0; frame < x.fresh; ++frame) {
      at::Tensor to_qkv = qkv, to_mixed = mixed, to_out = out;
      at::addmm_out(to_qkv, layer.qkv_bias, normed.frames[frame].flatten(0, 1), layer.qkv_weight.t());
      const auto parts = qkv.split(channels, 1);
      for (int64_t row = 0; row < positions; row += kQueryRows) {
        const int64_t rows = std::min(kQueryRows, positions - row);
        at::Tensor some = scores.narrow(0, 0, rows), result = to_mixed.narrow(0, row, rows);
        at::mm_out(some, parts[0].narrow(0, row, rows), parts[1].t());
        C10_CUDA_CHECK(launch_softmax(some.data_ptr(), rows, positions, stream));
        at::mm_out(result, some, parts[2]);
      }
      at::addmm_out(to_out, layer.proj_bias, mixed, layer.proj_weight.t());
      x.frames[frame].flatten(0, 1).add_(out);
    }
  });
  if (i + 1 < layers_.size() && layers_[i + 1].begins_with_norm()) {
    a.normed = input_ring(i + 1, a);
    add_frame_op(FrameOp::kNormSilu, a.x, a.normed.fresh_frames(), layers_[i + 1].gamma1);
  }
}

void WanProgram::add_downsample(size_t i, Activation& a) {
  const FusedWanLayer& layer = layers_[i];
  const FrameBuffer x = a.x;
  const int64_t in_height = a.height, in_width = a.width;
  a.height /= 2;
  a.width /= 2;
  if (!layer.temporal)
    return end_layer(i, layer.conv1, x.fresh_frames(), in_height, in_width, layer.conv1.tile.frames, nullptr,
                     nullptr, a);
  // Every output frame sees two new frames and the one before them.
  const FrameBuffer halved = ring(a.frames, a.height, a.width, a.channels);
  remember(i, 0, halved, a.channels, /*skip=*/1);
  add_conv(layer.conv1, x.fresh_frames(), in_height, in_width, a.frames, layer.conv1.tile.frames, nullptr,
           &halved, nullptr, {});
  a.frames /= 2;
  end_layer(i, *layer.time, halved.all_frames(1), a.height, a.width, 2, nullptr, nullptr, a);
}

void WanProgram::add_upsample(size_t i, Activation& a) {
  const FusedWanLayer& layer = layers_[i];
  FrameBuffer x = a.x;
  const int64_t in_height = a.height, in_width = a.width;
  if (layer.temporal) {
    const FrameBuffer doubled = plain(2 * a.frames, in_height, in_width, layer.in);
    add_conv(*layer.time, x.all_frames(), in_height, in_width, a.frames, layer.time->tile.frames, nullptr,
             &doubled, nullptr, {});
    a.frames *= 2;
    x = doubled;
  }
  a.height *= 2;
  a.width *= 2;
  a.channels = layer.out;
  end_layer(i, layer.conv1, x.fresh_frames(), in_height, in_width, layer.conv1.tile.frames, nullptr, nullptr,
            a);
}

void WanProgram::add_head(size_t i, Activation& a) {
  const FusedWanLayer& layer = layers_[i];
  const bool with_posterior = has(i + 1, Kind::kPosteriorMean);
  const PackedConv& conv = with_posterior ? *layer.conv1_with_posterior : layer.conv1;
  const bool pictures = layer.out == 3;
  FrameBuffer out;
  if (pictures) {
    const auto options = at::TensorOptions().dtype(at::kBFloat16).device(device_);
    output_ = at::empty({a.frames, 3, a.height, a.width}, options);
    out = {output_, a.frames, 0};
  } else {
    out = plain(a.frames, a.height, a.width, conv.out_channels);
    output_ = out.frames.permute({0, 3, 1, 2}).narrow(1, 0, with_posterior ? kLatentChannels : layer.out);
  }
  add_conv(conv, a.normed.all_frames(), a.height, a.width, a.frames, conv.tile.frames, nullptr, &out, nullptr,
           {});
}

}  // namespace sdv2
