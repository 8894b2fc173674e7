// SPDX-License-Identifier: LGPL-2.1-or-later
// config.json files of published models. What a file says overrides the sizes that are already known; fields
// that do not matter here are passed over; what sdv2 cannot run is kUnsupported.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "model/model_description.h"

namespace sdv2 {

// Transformer, original ("dim", "num_heads", …) or diffusers ("num_attention_heads", …). `where` begins
// messages.
Result<void> apply_dit_config(const nlohmann::json& config, const std::string& where, DitConfig& spec);

// The width that a transformer's config.json states, nothing when it states none.
std::optional<int64_t> dit_width_of(const nlohmann::json& config);

// diffusers AutoencoderKLWan.
Result<void> apply_wan_vae_config(const nlohmann::json& config, const std::string& where, WanVaeSpec& spec);

// transformers UMT5Config.
Result<void> apply_text_encoder_config(const nlohmann::json& config, const std::string& where,
                                       TextEncoderSpec& spec);

}  // namespace sdv2
