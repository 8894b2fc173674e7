// SPDX-License-Identifier: LGPL-2.1-or-later
// A chain of layers whose runs of layers can be executed as one program of fused kernels, with rounding only
// where something is written to memory. The program takes over from the plain layers after the first call of
// a stream, and can hand the stream back to them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>

#include "vae/layer_chain.h"

namespace sdv2 {

// The layers [begin, end) of one stream on one device. What they remember is in it. One thread at a time, and
// always with the stream current that was current when it was opened.
class FusedRange {
 public:
  virtual ~FusedRange() = default;

  // The next frames of the stream, as LayerChain::forward_layer from layer to layer; not the first call of a
  // stream. Does not wait for the device. Throws c10::Error; the stream must begin anew then.
  virtual at::Tensor run(const at::Tensor& x) = 0;

  // Writes what the layers remember into the states of the layers [begin, end); the range is of no use after
  // it. Any stream may be current; waits for the device.
  virtual void give_back(std::span<LayerState> states) = 0;
};

class FusedChain {
 public:
  virtual ~FusedChain() = default;

  // A program for the layers [begin, end) and frames like x, which continues the stream with these states (of
  // the layers [begin, end); it takes their histories). Nothing where it does not apply: the stream has not
  // begun, a size that the kernels do not cover, a range with nothing to gain. Throws c10::Error.
  virtual std::unique_ptr<FusedRange> open(size_t begin, size_t end, std::span<LayerState> states,
                                           const at::Tensor& x) const = 0;
};

}  // namespace sdv2
