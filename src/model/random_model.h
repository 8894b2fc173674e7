// SPDX-License-Identifier: LGPL-2.1-or-later
// Models without files: random weights of true or chosen sizes, for benchmarks and tests.
//
//   random:1.3b   the networks of Wan 2.1 1.3B
//   random:14b    the networks of Wan 2.1 14B
//   random:tiny   a transformer of two layers and an autoencoder of base width 8, for tests on a CPU
//
// A comma and key=value change a size; without a preset they change `tiny`:
//
//   random:1.3b,layers=4
//   random:dim=256,layers=2
//
//   dim           width of the transformer, a multiple of 128 (the number of heads follows)
//   layers        transformer blocks
//   ffn           width of the feed-forward layers
//   text_dim      width of a prompt row
//   text_len      prompt rows
//   vae_dim       base width of the Wan VAE (96 in the release, 24 in LightVAE)
//   autoencoder   wan_vae (default) or taehv: the one in use unless the user chooses
//   seed          of the weights (default 0)
//
// There is no text encoder: a prompt gives random rows too.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/model_description.h"

namespace sdv2 {

inline constexpr std::string_view kRandomPrefix = "random:";

// `model` begins with kRandomPrefix. Errors: kInvalidArgument, naming what is not understood and what could
// stand there.
Result<ModelDescription> parse_random_model(std::string_view model);

}  // namespace sdv2
