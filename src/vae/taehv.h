// SPDX-License-Identifier: LGPL-2.1-or-later
// TAEHV for Wan 2.1 latents (taew2_1) as two streaming chains (architecture: taehv.py of madebyollin/taehv).
#pragma once

#include <array>

#include "base/result.h"
#include "vae/layer_chain.h"
#include "weights/weight_source.h"

namespace sdv2 {

// Sizes; the defaults are those of taew2_1.pth. Three memory blocks per level, 4 pixel frames per latent
// frame, 8 pixels per latent row and column.
struct TaehvConfig {
  int64_t encoder_width = 64;
  std::array<int64_t, 4> decoder_widths = {256, 128, 64, 64};  // latent resolution first
};

// The sizes that the weights of a source have; the defaults for a source that makes any tensor (formula
// weights). Error kCorrupt when one of the convolutions that tell is not there.
Result<TaehvConfig> taehv_config_of(const WeightSource& source);

// Pixels [T, 3, H, W] in [0, 1], H and W multiples of 8 → normalised latents [n, 16, H/8, W/8].
// The first call of a stream decides how frames are grouped:
//  * T = 1 + 4k, n = 1 + k: frame 0 is taken four times, so latent frame i ends at frame 4i (the engine's
//  way);
//  * T = 4k, n = k: plain groups of four, so latent frame i ends at frame 4i + 3.
// Later calls: T = 4k, n = k.
LayerChain taehv_encoder(const TaehvConfig& config);

// Normalised latents [n, 16, h, w] → pixels [T, 3, 8h, 8w] of about [0, 1], not clamped.
// T = 1 + 4(n − 1) in the first call of a stream, 4n after it.
LayerChain taehv_decoder(const TaehvConfig& config);

// Whether a source holds exactly the tensors of encoder and decoder (128). Check before loading a half; for a
// file, check and load through TaehvSource.
Result<void> check_taehv(const TaehvConfig& config, const WeightSource& source);

}  // namespace sdv2
