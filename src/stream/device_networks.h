// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of a model's networks that one device holds. Constant after loading and shared by all workers of
// the device.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "dit/causal_dit.h"
#include "vae/fused/fused_chain.h"
#include "vae/layer_chain.h"

namespace sdv2 {

// The range of pixel values that an autoencoder works on.
enum class PixelRange : uint8_t {
  kSigned,    // [-1, 1], the Wan VAE
  kUnsigned,  // [0, 1], TAEHV
};

struct DeviceNetworks {
  at::Device device;
  at::ScalarType type;
  bool fused;  // by fused kernels (kernels/fused_support.h) instead of operation by operation
  bool fp8;    // the linears of the transformer's blocks, which then run on fused kernels only
  CausalDit dit;
  LayerChain encoder, decoder;
  PixelRange encoder_range = PixelRange::kSigned;
  PixelRange decoder_range = PixelRange::kSigned;
  // Fused twins of them, where there are any.
  std::shared_ptr<const FusedChain> fused_encoder, fused_decoder;
};

}  // namespace sdv2
