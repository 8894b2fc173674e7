// SPDX-License-Identifier: LGPL-2.1-or-later
// What the runners of the autoencoder kinds share.
#pragma once

#include <memory>

#include "stream/chain_memory.h"
#include "tools/parity/case.h"
#include "vae/layer_chain.h"

namespace sdv2::parity {

// The chain with the case's formula weights, in the case's type.
LayerChain with_weights(LayerChain chain, const Case& loaded, at::Device device);

// One stream through such a chain, call by call: on its fused twin where the case asks for it and there is
// one
// (`fused` may be null), which the report says otherwise.
class ChainStream {
 public:
  ChainStream(const Case& loaded, const LayerChain& chain, std::shared_ptr<const FusedChain> fused,
              Report& report);

  at::Tensor forward(const at::Tensor& x);

 private:
  const LayerChain& chain_;
  std::shared_ptr<const FusedChain> fused_;
  ChainMemory memory_;
};

// Compares an output with the expected tensor of that name and its `.fp32` twin where there is one.
void compare_output(const Case& loaded, const std::string& name, const at::Tensor& got, Report& report);

}  // namespace sdv2::parity
