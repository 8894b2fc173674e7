// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/chain_memory.h"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <span>

namespace sdv2 {

at::Tensor ChainMemory::run(const LayerChain& chain, const FusedChain* fused, size_t begin, size_t end,
                            at::Tensor x, const std::atomic<bool>& abandoned) {
  const c10::Stream stream = c10::impl::VirtualGuardImpl(x.device().type()).getStream(x.device());
  Range& range = ranges_.at(begin);
  if (range.fused && range.end == end && range.stream == stream) return range.fused->run(x);

  take_back(begin, end, x.device());
  if (fused != nullptr)
    range.fused = fused->open(begin, end, std::span(layers_).subspan(begin, end - begin), x);
  if (range.fused) {
    range.end = end;
    range.stream = stream;
    for (size_t i = begin; i < end; ++i) owners_[i] = begin;
    return range.fused->run(x);
  }
  for (size_t i = begin; i < end && !abandoned; ++i) x = chain.forward_layer(i, x, layers_[i]);
  return x;
}

void ChainMemory::take_back(size_t begin, size_t end, at::Device device) {
  for (size_t i = begin; i < end; ++i) {
    if (owners_[i]) {
      const size_t first = *owners_[i];
      Range& range = ranges_[first];
      range.fused->give_back(std::span(layers_).subspan(first, range.end - first));
      for (size_t layer = first; layer < range.end; ++layer) owners_[layer].reset();
      range = {};
    }
    for (at::Tensor& frames : layers_[i].history)
      if (frames.defined() && frames.device() != device) frames = frames.to(device);
  }
}

}  // namespace sdv2
