// SPDX-License-Identifier: LGPL-2.1-or-later
// What the layers of the Wan VAE are to the fused kernels: kinds, sizes and weights in the kernels' order.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>

#include "kernels/conv_packing.h"
#include "vae/layer_chain.h"
#include "vae/wan_vae_layers.h"

namespace sdv2 {

struct FusedWanLayer {
  enum class Kind {
    kLatentInput,
    kStem,
    kResidual,
    kAttention,
    kDownsample,
    kUpsample,
    kHead,
    kPosteriorMean
  };
  Kind kind{};
  int in = 0, out = 0;  // channels
  bool temporal = false;
  int frames = 0;  // that come in for one latent frame
  int shrink = 1;  // pixels per column and row that come in

  // Whether its first step is RMS norm and SiLU on what comes in.
  bool begins_with_norm() const { return kind == Kind::kResidual || kind == Kind::kHead; }
  // Whether it remembers frames as they come in.
  bool remembers_input() const { return kind == Kind::kUpsample && temporal; }

  // Not there when the device does not hold the layer.
  bool loaded = false;
  PackedConv conv1, conv2;  // kResidual: both; else conv1
  std::optional<PackedConv> shortcut, time;
  at::Tensor gamma1, gamma2;                       // float32 [C]
  at::Tensor qkv_weight, qkv_bias;                 // kAttention, bf16 [3C, C]; q is scaled by 1/√C
  at::Tensor proj_weight, proj_bias;               // bf16 [C, C]
  at::Tensor latent_weight, latent_bias;           // kLatentInput with the latents' scale: float32 [16, 16]
  std::optional<PackedConv> conv1_with_posterior;  // kHead of the encoder with the layer behind it
};

// All layers of a chain: wan_encoder() or wan_decoder() of the default configuration.
std::vector<FusedWanLayer> fused_wan_layers(LayerChain& chain, bool encoder, LatentScale scale);

}  // namespace sdv2
