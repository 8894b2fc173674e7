// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/fused/fused_wan_vae.h"

#include <ATen/ATen.h>

#if SDV2_HAVE_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

#include <mutex>

#include "kernels/fused_support.h"
#include "runtime/device_stream.h"
#include "vae/fused/wan_program.h"
#endif

namespace sdv2 {

#if SDV2_HAVE_CUDA
namespace {

using Kind = FusedWanLayer::Kind;
using Layers = std::vector<FusedWanLayer>;

// Recording touches state of the device that all threads share (the random generator's).
std::mutex& recording() {
  static std::mutex mutex;
  return mutex;
}

class WanRange final : public FusedRange {
 public:
  WanRange(std::shared_ptr<const Layers> layers, size_t begin, size_t end, std::span<LayerState> states,
           const at::Tensor& x)
      : layers_(std::move(layers)),
        stream_(at::cuda::getCurrentCUDAStream(x.device().index())),
        program_(std::span(*layers_).subspan(begin, end - begin), x.size(2), x.size(3), x.device()) {
    program_.load(states);
    for (LayerState& state : states) state.history = {};
  }

  at::Tensor run(const at::Tensor& x) override {
    const c10::cuda::CUDAGuard guard(x.device());
    TORCH_CHECK(at::cuda::getCurrentCUDAStream() == stream_,
                "a fused range runs on the stream of its first call");
    const at::Tensor &in = program_.input(), &out = program_.output();
    const int64_t groups = x.size(0) / in.size(0);
    TORCH_CHECK(x.size(0) == groups * in.size(0) && x.sizes().slice(1) == in.sizes().slice(1),
                "Wan VAE: frames ", x.sizes(), " came to layers that take ", in.sizes(), " or several of it");
    const at::Tensor result =
        at::empty({groups * out.size(0), out.size(1), out.size(2), out.size(3)}, out.options(),
                  out.is_contiguous() || out.size(1) < kChannelStep ? at::MemoryFormat::Contiguous
                                                                    : at::MemoryFormat::ChannelsLast);
    for (int64_t group = 0; group < groups; ++group) {
      in.copy_(x.narrow(0, group * in.size(0), in.size(0)));
      run_group();
      result.narrow(0, group * out.size(0), out.size(0)).copy_(out);
    }
    return result;
  }

  void give_back(std::span<LayerState> states) override {
    {
      const c10::cuda::CUDAStreamGuard guard(stream_);
      program_.store(states, runs_ % kChunkPeriod);
    }
    // Whoever goes on with the stream may do so on any device.
    stream_.synchronize();
    for (const LayerState& state : states)
      for (const at::Tensor& frames : state.history)
        if (frames.defined()) use_on_current_stream(frames);
  }

 private:
  // As it is the first time, which sets up libraries and their memory; then recorded.
  void run_group() {
    if (graph_) {
      graph_->replay();
    } else if (runs_ == 0 || stream_ == at::cuda::getDefaultCUDAStream(stream_.device_index())) {
      program_.run();  // the default stream cannot be recorded
    } else {
      record();
      graph_->replay();
    }
    ++runs_;
  }

  void record() {
    const std::lock_guard lock(recording());
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    // Other threads may go on allocating memory meanwhile.
    graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      program_.run();
    } catch (...) {
      try {
        graph->capture_end();  // or the stream would stay in recording
      } catch (const c10::Error&) {
        // What program_.run() threw says more.
      }
      throw;
    }
    graph->capture_end();
    graph_ = std::move(graph);
  }

  std::shared_ptr<const Layers> layers_;
  at::cuda::CUDAStream stream_;
  WanProgram program_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
  int64_t runs_ = 0;  // groups
};

class FusedWan final : public FusedChain {
 public:
  explicit FusedWan(Layers layers) : layers_(std::make_shared<const Layers>(std::move(layers))) {}

  std::unique_ptr<FusedRange> open(size_t begin, size_t end, std::span<LayerState> states,
                                   const at::Tensor& x) const override {
    if (!covers(begin, end, x)) return nullptr;
    for (size_t i = begin; i < end; ++i)
      if (!begun((*layers_)[i], states[i - begin])) return nullptr;
    const c10::cuda::CUDAGuard guard(x.device());
    return std::make_unique<WanRange>(layers_, begin, end, states, x);
  }

 private:
  bool covers(size_t begin, size_t end, const at::Tensor& x) const {
    const FusedWanLayer& first = (*layers_)[begin];
    for (size_t i = begin; i < end; ++i)
      if (!(*layers_)[i].loaded) return false;
    // Layers that are done with their neighbour, which is elsewhere.
    if (first.kind == Kind::kPosteriorMean || (first.kind == Kind::kLatentInput && end == begin + 1))
      return false;
    const int64_t height = x.size(2) * first.shrink, width = x.size(3) * first.shrink;
    constexpr int64_t kWidest = 96;  // channels at full size
    return x.scalar_type() == at::kBFloat16 && x.size(0) % first.frames == 0 && x.size(1) == first.in &&
           height % 16 == 0 && width % 16 == 0 && height * width * kWidest < (int64_t{1} << 31);
  }

  // Whether the plain layer has seen the first call of its stream; those that remember nothing always have.
  static bool begun(const FusedWanLayer& layer, const LayerState& state) {
    switch (layer.kind) {
      case Kind::kStem:
      case Kind::kResidual:
      case Kind::kHead:
        return state.history[0].defined();
      case Kind::kDownsample:
        return !layer.temporal || state.history[0].defined();
      case Kind::kUpsample:
        return !layer.temporal || state.started;
      default:
        return true;
    }
  }

  std::shared_ptr<const Layers> layers_;
};

std::shared_ptr<const FusedChain> fuse(LayerChain& chain, const WanVaeConfig& config, bool encoder,
                                       LatentScale scale) {
  if (!has_direct_conv() || config != WanVaeConfig{}) return nullptr;
  ParamList params;
  chain.list(ParamScope(params));
  const Param* loaded = nullptr;
  for (const Param& param : params)
    if (param.slot->defined()) loaded = &param;
  if (loaded == nullptr || !has_fused_kernels(loaded->slot->scalar_type(), loaded->slot->device()))
    return nullptr;
  const c10::InferenceMode inference;
  return std::make_shared<FusedWan>(fused_wan_layers(chain, encoder, scale));
}

}  // namespace
#endif

std::shared_ptr<const FusedChain> fuse_wan_encoder([[maybe_unused]] LayerChain& encoder,
                                                   [[maybe_unused]] const WanVaeConfig& config,
                                                   [[maybe_unused]] LatentScale scale) {
#if SDV2_HAVE_CUDA
  return fuse(encoder, config, /*encoder=*/true, scale);
#else
  return nullptr;
#endif
}

std::shared_ptr<const FusedChain> fuse_wan_decoder([[maybe_unused]] LayerChain& decoder,
                                                   [[maybe_unused]] const WanVaeConfig& config) {
#if SDV2_HAVE_CUDA
  return fuse(decoder, config, /*encoder=*/false, LatentScale::kRaw);
#else
  return nullptr;
#endif
}

}  // namespace sdv2
