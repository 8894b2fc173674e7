// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of models and sessions: which there are, what they may be, and their defaults.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/result.h"
#include "stub/program.h"

namespace sdv2::stub {

// A whole, valid configuration of sdv2_model_open from one that may leave keys out. The key "stub" stays out
// of it. Errors: kInvalidArgument naming the key.
Result<nlohmann::json> complete_config(const nlohmann::json& config);

// The settings of a session of a model with this program, all at their defaults.
nlohmann::json default_settings(const Program& program);

// `settings` with the changes. With `live`, only settings that may change while a session runs are taken.
// Errors: kInvalidArgument naming the setting.
Result<nlohmann::json> change_settings(nlohmann::json settings, const nlohmann::json& changes, bool live);

// Whether going from one to the other needs a text to be encoded.
bool prompt_differs(const nlohmann::json& a, const nlohmann::json& b);

// How a chunk's pixels are changed.
struct Look {
  std::array<uint8_t, 3> tint{};  // red, green, blue
  double mix = 1;                 // share of the changed picture
};

// The look of settings, where `defaults` has no tint.
Look look_of(const nlohmann::json& settings, const nlohmann::json& defaults);

// The pixel (RGB, alpha is kept) in that look.
std::array<uint8_t, 4> restyle(const std::array<uint8_t, 4>& pixel, const Look& look);

}  // namespace sdv2::stub
