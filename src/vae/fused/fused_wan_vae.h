// SPDX-License-Identifier: LGPL-2.1-or-later
// The Wan VAE on fused kernels (kernels/direct_conv.h): Hopper GPUs, bf16, the published widths.
#pragma once

#include "vae/fused/fused_chain.h"
#include "vae/wan_vae.h"

namespace sdv2 {

// The fused twin of a Wan encoder or decoder (wan_vae.h) whose layers are loaded, all or some, in bf16 on one
// device. `scale` is that of the encoder. Nothing when the kernels do not cover it: another configuration
// than the default one (LightVAE), another type, no Hopper GPU, a build without them. Throws c10::Error.
std::shared_ptr<const FusedChain> fuse_wan_encoder(LayerChain& encoder, const WanVaeConfig& config,
                                                   LatentScale scale);
std::shared_ptr<const FusedChain> fuse_wan_decoder(LayerChain& decoder, const WanVaeConfig& config);

}  // namespace sdv2
