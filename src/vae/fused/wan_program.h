// SPDX-License-Identifier: LGPL-2.1-or-later
// A run of layers of the Wan VAE as a list of kernel launches on fixed buffers, for the frames of one latent
// frame at a time.
//
// The input frames of every causal convolution are a ring in device memory, of the new frames and the two
// before them, into which the step before writes; nothing is moved from one call to the next. Which slots are
// whose follows from the number of the call, which lives in device memory and is counted up by the last step:
// so the launches are the same in every call, and can be recorded once.
#pragma once

#include <ATen/core/Tensor.h>
#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/vae_frames.h"
#include "vae/fused/wan_layer.h"

namespace sdv2 {

// Frames [slots, H, W, C] in bf16; without history a plain tensor.
struct FrameBuffer {
  at::Tensor frames;
  int fresh = 0;    // frames per call
  int history = 0;  // frames in front of them

  // The new frames, and the same with the history (from its frame `skip` on) in front.
  FrameTensor fresh_frames() const;
  FrameTensor all_frames(int skip = 0) const;
};

class WanProgram {
 public:
  // For input frames of height × width, which the kernels must cover (see FusedChain::open). The weights of
  // the layers outlive this. Allocates the buffers on the current device. Throws c10::Error.
  WanProgram(std::span<const FusedWanLayer> layers, int64_t height, int64_t width, at::Device device);
  WanProgram(const WanProgram&) = delete;  // its steps refer to it
  WanProgram& operator=(const WanProgram&) = delete;

  // [T, C, H, W] with T frames of one latent frame: what run() reads, and what it wrote.
  const at::Tensor& input() const { return input_; }
  const at::Tensor& output() const { return output_; }

  // Queues all steps on the current stream.
  void run() const;

  // Puts histories in place; the next run is the first. Copies of them as they are after `runs` runs.
  void load(std::span<const LayerState> states) const;
  void store(std::span<LayerState> states, int64_t runs) const;

 private:
  // A history of a layer as LayerState has it, [frames, C, H, W].
  struct History {
    size_t layer;
    size_t which;
    FrameBuffer buffer;
    int channels;  // of the buffer's, which may be padded
    int skip;      // frames of the buffer's history in front of it
  };
  // What a layer hands to the next one: frames, and for a layer that begins with a norm their normed twin.
  struct Activation {
    int frames = 0, channels = 0;
    int64_t height = 0, width = 0;
    FrameBuffer x;       // undefined when nobody reads it
    FrameBuffer normed;  // of the layer that takes it
  };

  FrameBuffer plain(int frames, int64_t height, int64_t width, int channels) const;
  FrameBuffer ring(int frames, int64_t height, int64_t width, int channels) const;
  void remember(size_t layer, size_t which, const FrameBuffer& buffer, int channels, int skip = 0);

  using Step = std::function<void(cudaStream_t)>;
  void add(Step step) { steps_.push_back(std::move(step)); }
  void add_conv(const PackedConv& conv, const FrameTensor& in, int64_t height, int64_t width, int frames,
                int group_step, const FrameBuffer* residual, const FrameBuffer* x, const FrameBuffer* y,
                const at::Tensor& gamma);
  void add_frame_op(FrameOp op, const FrameBuffer& in, const FrameTensor& out, const at::Tensor& gamma);
  // The convolution that ends layer i, with what the next layer wants of it. `in_place`: where the result may
  // go, or null.
  void end_layer(size_t i, const PackedConv& conv, const FrameTensor& in, int64_t in_height, int64_t in_width,
                 int group_step, const FrameBuffer* residual, const FrameBuffer* in_place, Activation& a);
  // The ring that layer i reads first, when it has one and nothing has filled it.
  FrameBuffer input_ring(size_t i, const Activation& a);

  void add_entry(Activation& a);
  void add_layer(size_t i, Activation& a);
  void add_stem(size_t i, Activation& a);
  void add_residual(size_t i, Activation& a);
  void add_attention(size_t i, Activation& a);
  void add_downsample(size_t i, Activation& a);
  void add_upsample(size_t i, Activation& a);
  void add_head(size_t i, Activation& a);
  bool has(size_t i, FusedWanLayer::Kind kind) const { return i < layers_.size() && layers_[i].kind == kind; }

  std::span<const FusedWanLayer> layers_;
  at::Device device_;
  at::Tensor chunk_;  // int32 [1]: number of the call modulo kChunkPeriod
  at::Tensor input_, output_;
  std::vector<Step> steps_;
  std::vector<History> histories_;
};

}  // namespace sdv2
