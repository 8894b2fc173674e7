// SPDX-License-Identifier: LGPL-2.1-or-later
// A streaming autoencoder half (encoder or decoder) as a chain of layers. Weights and
// streaming state are apart: the chain is the same for all sessions, a ChainState is
// one stream's memory. Layers can run one after the other on different devices, because
// a layer touches nothing but its input, its own weights and its own LayerState.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "weights/param_list.h"

namespace sdv2 {

// What one layer remembers of one stream. Tensors are replaced, never written in place, so that a copy of a
// state is a fork of the stream that costs no memory. Empty at the start of a stream.
struct LayerState {
  // Last input frames [frames, C, H, W], one entry per causal convolution of the layer in the order of use.
  std::array<at::Tensor, 2> history;
  // Whether the layer has seen its first call (only layers with a rule for the first call look at it).
  bool started = false;
};

// The memory of one stream in one chain: one LayerState per layer. Not thread-safe.
// Keeps to one frame size between two resets.
class ChainState {
 public:
  explicit ChainState(size_t layers) : layers_(layers) {}

  LayerState& layer(size_t index) { return layers_.at(index); }
  // Back to the start of a stream; equal to a new state bit for bit.
  void reset() { layers_.assign(layers_.size(), {}); }

 private:
  std::vector<LayerState> layers_;
};

// How many frames there are per latent frame, and pixels per latent pixel in each direction, somewhere in a
// chain.
struct FrameGrid {
  double frames = 1;
  double side = 1;

  double positions() const { return frames * side * side; }
};

// One link of the chain. All activations are [T, C, H, W]: frames in time order, one stream at a time.
class Layer {
 public:
  virtual ~Layer() = default;

  // The layer's parameters, with keys relative to the layer.
  virtual void list(const ParamScope& p) = 0;
  // Works out from the parameters, once they are loaded, what forward can do its work faster with. What comes
  // out stays the same up to rounding.
  virtual void prepare() {}
  // Computes the next T frames of a stream, T as the layer before gives them. Type and device are those of
  // the weights. Any number of threads with different states. Throws c10::Error when shapes do not fit or
  // memory runs out; the stream's states must be reset then.
  virtual at::Tensor forward(const at::Tensor& x, LayerState& state) const = 0;

  // The grid of what comes out, in calls after the first, for that of what goes in.
  virtual FrameGrid output_grid(FrameGrid in) const { return in; }
};

// An encoder or a decoder. Constant once its parameters are
// loaded, and then safe to share between sessions and threads.
class LayerChain {
 public:
  // Appends a layer whose keys begin with "<key>.".
  template <class L, class... Args>
  void add(std::string key, Args&&... args) {
    links_.push_back({std::move(key), std::make_unique<L>(std::forward<Args>(args)...)});
  }

  size_t layer_count() const { return links_.size(); }
  ChainState new_state() const { return ChainState(layer_count()); }

  // Parameters with full keys, of the whole chain or of one layer (for a device that owns only some).
  void list(const ParamScope& p);
  void list_layer(size_t index, const ParamScope& p);

  // Layer::prepare of one layer: nothing else may use the chain meanwhile.
  void prepare_layer(size_t index) { links_.at(index).layer->prepare(); }

  // Of each layer: weights × positions that it makes, per position of a latent frame. About its
  // multiply-adds; good for sharing layers out among devices. `in`: the grid of the chain's input.
  std::vector<double> layer_costs(FrameGrid in);

  // One layer, or all of them in order; see Layer::forward. What goes in and comes out is documented where
  // the chain is made.
  at::Tensor forward_layer(size_t index, const at::Tensor& x, LayerState& state) const;
  at::Tensor forward(const at::Tensor& x, ChainState& state) const;

 private:
  struct Link {
    std::string key;
    std::unique_ptr<Layer> layer;
  };
  std::vector<Link> links_;
};

}  // namespace sdv2
