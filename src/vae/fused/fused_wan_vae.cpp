// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/fused/fused_wan_vae.h"

#include <ATen/ATen.h>

#if SDV2_HAVE_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

#include <map>
#include <mutex>
#include <tuple>

#include "kernels/fused_support.h"
#include "runtime/device_stream.h"
#include "runtime/record_graph.h"
#include "vae/fused/wan_program.h"
#endif

namespace sdv2 {

#if SDV2_HAVE_CUDA
namespace {

using Kind = FusedWanLayer::Kind;
using Layers = std::vector<FusedWanLayer>;

// A program that several streams share, as long as they run the same layers on frames of one size in one
// device stream: its buffers are some times the size of what a stream remembers. It holds the memory of the
// stream that ran last, which is exchanged when another one comes.
class SharedProgram {
 public:
  SharedProgram(std::shared_ptr<const Layers> layers, size_t begin, size_t end, const at::Tensor& x)
      : layers_(std::move(layers)),
        stream_(at::cuda::getCurrentCUDAStream(x.device().index())),
        program_(std::span(*layers_).subspan(begin, end - begin), x.size(2), x.size(3), x.device()) {}

  const at::cuda::CUDAStream& stream() const { return stream_; }
  const WanProgram& program() const { return program_; }
  std::mutex& mutex() { return mutex_; }

  // Under the mutex. The states of a stream are its identity, and take its memory when it has to leave; with
  // none, nobody's memory is there.
  void enter(std::vector<LayerState>* states) {
    if (states == inside_) return;
    leave();
    program_.load(*states);
    for (LayerState& state : *states) state.history = {};
    inside_ = states;
    runs_ = 0;
  }
  void leave() {
    if (inside_ != nullptr) program_.store(*inside_, runs_ % kChunkPeriod);
    inside_ = nullptr;
  }
  void forget(const std::vector<LayerState>* states) {
    if (inside_ == states) inside_ = nullptr;
  }
  bool holds(const std::vector<LayerState>* states) const { return inside_ == states; }

  // As it is the first time, which sets up libraries and their memory; then recorded, but not on the default
  // stream, which cannot be.
  void run() {
    if (!graph_ && warm_ && stream_ != at::cuda::getDefaultCUDAStream(stream_.device_index()))
      graph_ = record_graph({0, 0}, [this] { program_.run(); });
    if (graph_)
      graph_->replay();
    else
      program_.run();
    warm_ = true;
    ++runs_;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const Layers> layers_;
  at::cuda::CUDAStream stream_;
  WanProgram program_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
  bool warm_ = false;
  std::vector<LayerState>* inside_ = nullptr;
  int64_t runs_ = 0;  // since it entered
};

class WanRange final : public FusedRange {
 public:
  WanRange(std::shared_ptr<SharedProgram> shared, std::span<LayerState> states)
      : shared_(std::move(shared)), states_(states.begin(), states.end()) {
    for (LayerState& state : states) state.history = {};
  }
  ~WanRange() override {
    const std::lock_guard lock(shared_->mutex());
    shared_->forget(&states_);
  }

  at::Tensor run(const at::Tensor& x) override {
    const std::lock_guard lock(shared_->mutex());
    const c10::cuda::CUDAGuard guard(x.device());
    TORCH_CHECK(at::cuda::getCurrentCUDAStream() == shared_->stream(),
                "a fused range runs on the stream of its first call");
    const at::Tensor &in = shared_->program().input(), &out = shared_->program().output();
    const int64_t groups = x.size(0) / in.size(0);
    TORCH_CHECK(x.size(0) == groups * in.size(0) && x.sizes().slice(1) == in.sizes().slice(1),
                "Wan VAE: frames ", x.sizes(), " came to layers that take ", in.sizes(), " or several of it");
    const bool planar = out.is_contiguous() || out.size(1) < kChannelStep;  // latents and pictures
    const at::Tensor result =
        at::empty({groups * out.size(0), out.size(1), out.size(2), out.size(3)}, out.options(),
                  planar ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast);
    shared_->enter(&states_);
    for (int64_t group = 0; group < groups; ++group) {
      in.copy_(x.narrow(0, group * in.size(0), in.size(0)));
      shared_->run();
      result.narrow(0, group * out.size(0), out.size(0)).copy_(out);
    }
    return result;
  }

  void give_back(std::span<LayerState> states) override {
    const std::lock_guard lock(shared_->mutex());
    if (shared_->holds(&states_)) {
      const c10::cuda::CUDAStreamGuard guard(shared_->stream());
      shared_->leave();
    }
    // Whoever goes on with the stream may do so on any device.
    shared_->stream().synchronize();
    std::move(states_.begin(), states_.end(), states.begin());
    for (const LayerState& state : states)
      for (const at::Tensor& frames : state.history)
        if (frames.defined()) use_on_current_stream(frames);
  }

 private:
  std::shared_ptr<SharedProgram> shared_;
  std::vector<LayerState> states_;  // without what is in the program
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
    return std::make_unique<WanRange>(program(begin, end, x), states);
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

  std::shared_ptr<SharedProgram> program(size_t begin, size_t end, const at::Tensor& x) const {
    const std::lock_guard lock(mutex_);
    std::erase_if(programs_, [](const auto& entry) { return entry.second.expired(); });
    const int64_t stream = at::cuda::getCurrentCUDAStream(x.device().index()).id();
    std::weak_ptr<SharedProgram>& known = programs_[{begin, end, x.size(2), x.size(3), stream}];
    std::shared_ptr<SharedProgram> found = known.lock();
    if (!found) known = found = std::make_shared<SharedProgram>(layers_, begin, end, x);
    return found;
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
  mutable std::mutex mutex_;
  // By layers, frame size and stream; they live as long as a range uses them.
  mutable std::map<std::tuple<size_t, size_t, int64_t, int64_t, int64_t>, std::weak_ptr<SharedProgram>>
      programs_;
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
