// SPDX-License-Identifier: LGPL-2.1-or-later
// What the runners of the autoencoder kinds share.
#pragma once

#include "tools/parity/case.h"
#include "vae/layer_chain.h"

namespace sdv2::parity {

// The chain with the case's formula weights, in the case's type.
LayerChain with_weights(LayerChain chain, const Case& loaded, at::Device device);

// Compares an output with the expected tensor of that name and its `.fp32` twin where there is one.
void compare_output(const Case& loaded, const std::string& name, const at::Tensor& got, Report& report);

}  // namespace sdv2::parity
