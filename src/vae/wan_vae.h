// SPDX-License-Identifier: LGPL-2.1-or-later
// The Wan 2.1 VAE as two streaming chains (architecture: wan/modules/vae.py of Wan-Video/Wan2.1).
#pragma once

#include <vector>

#include "base/result.h"
#include "vae/layer_chain.h"
#include "vae/wan_vae_layers.h"
#include "weights/weight_source.h"

namespace sdv2 {

// Sizes; the defaults are those of Wan2.1_VAE.pth. base_dim 24 is LightVAE.
struct WanVaeConfig {
  int64_t base_dim = 96;
  std::vector<int64_t> dim_mult = {1, 2, 4, 4};  // width of each level / base_dim
  int64_t num_res_blocks = 2;                    // per encoder level; a decoder level has one more
  // Whether time is halved too between level i and i + 1 (rows and columns always are). The decoder mirrors
  // it.
  std::vector<bool> temporal_downsample = {false, true, true};

  friend bool operator==(const WanVaeConfig&, const WanVaeConfig&) = default;
};

// The sizes that the weights of a source have: base_dim from its keys, the rest by default. Sources that make
// any tensor (formula weights) give the default. Error kCorrupt when the first convolution is not there.
Result<WanVaeConfig> wan_vae_config_of(const WeightSource& source);

// Pixels [T, 3, H, W] in [−1, 1], H and W multiples of 8 → latents [n, 16, H/8, W/8]: the posterior mean on
// the given scale. T = 1 + 4k, n = 1 + k in the first call of a stream; T = 4k, n = k after it.
LayerChain wan_encoder(const WanVaeConfig& config, LatentScale scale);

// Normalised latents [n, 16, h, w] → pixels [T, 3, 8h, 8w] of about [−1, 1], not clamped.
// T = 1 + 4(n − 1) in the first call of a stream, 4n after it.
LayerChain wan_decoder(const WanVaeConfig& config);

// Whether a source holds exactly the tensors of encoder and decoder (194). Check before loading a half.
Result<void> check_wan_vae(const WanVaeConfig& config, const WeightSource& source);

}  // namespace sdv2
