// SPDX-License-Identifier: LGPL-2.1-or-later
// A network's sizes from the shapes of its tensors: for files that come without a description.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/model_description.h"

namespace sdv2 {

// Shapes by original key.
using TensorShapes = std::unordered_map<std::string, std::vector<int64_t>>;

// What the shapes do not tell (eps, text_len) keeps its default. The released widths (1536 and 5120; 4096 of
// the text encoder) give the whole released architecture, so that the check against it finds tensors that are
// missing from the file. Errors: kCorrupt, naming the tensor that is not there or has another rank.
Result<DitConfig> dit_sizes(const TensorShapes& shapes);
Result<WanVaeSpec> wan_vae_sizes(const TensorShapes& shapes);
Result<TaehvSpec> taehv_sizes(const TensorShapes& shapes);
Result<TextEncoderSpec> text_encoder_sizes(const TensorShapes& shapes);

}  // namespace sdv2
