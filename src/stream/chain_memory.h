// SPDX-License-Identifier: LGPL-2.1-or-later
// What one half of the autoencoder remembers of one stream: in the states of its plain layers, or, for runs
// of layers that execute as fused programs, in those. Moves it between the two, and between devices, when a
// stream begins or its plan changes.
#pragma once

#include <c10/core/Stream.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "vae/fused/fused_chain.h"
#include "vae/layer_chain.h"

namespace sdv2 {

// Different threads may run different layers; a thread that runs layers which were run in other company (of
// other layers, or on another stream or device) must be alone.
class ChainMemory {
 public:
  explicit ChainMemory(size_t layers) : layers_(layers), owners_(layers), ranges_(layers) {}

  // Runs the layers [begin, end) of the chain on x, which is on the device, in its current stream. `fused`:
  // the chain's fused twin there, or null. Stops between layers when it is abandoned. Throws c10::Error; the
  // stream's memory is of no use then.
  at::Tensor run(const LayerChain& chain, const FusedChain* fused, size_t begin, size_t end, at::Tensor x,
                 const std::atomic<bool>& abandoned);

 private:
  struct Range {
    std::unique_ptr<FusedRange> fused;
    size_t end = 0;
    std::optional<c10::Stream> stream;
  };

  // Lets the plain states of the layers remember again, on a device.
  void take_back(size_t begin, size_t end, at::Device device);

  std::vector<LayerState> layers_;
  std::vector<std::optional<size_t>>
      owners_;                 // per layer: where the fused range begins that remembers for it
  std::vector<Range> ranges_;  // by their first layer
};

}  // namespace sdv2
