// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/model_config.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace sdv2 {
namespace {

constexpr JsonLimits kLimits = {
    .max_bytes = 1 << 16, .max_depth = 2, .max_values = 100, .max_string = 1 << 15};

Error bad(const std::string& what) { return {ErrorCode::kInvalidArgument, "model configuration: " + what}; }

template <size_t N>
Result<void> check_choice(const char* key, const std::string& value,
                          const std::array<const char*, N>& choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
  std::string allowed;
  for (const char* choice : choices) allowed += (allowed.empty() ? "" : ", ") + std::string(choice);
  return bad(std::string("'") + key + "' is '" + value + "'; it must be one of " + allowed);
}

}  // namespace

Result<ModelConfig> parse_model_config(std::string_view text) {
  const auto json = parse_json(text, "model configuration", kLimits);
  if (!json.ok()) return Error{ErrorCode::kInvalidArgument, json.error().message};
  if (!json->is_object()) return bad("must be a JSON object, like {\"model\": \"random:tiny\"}");
  ModelConfig config;
  const std::array<std::pair<const char*, std::string*>, 7> texts = {{{"model", &config.model},
                                                                      {"devices", &config.devices},
                                                                      {"precision", &config.precision},
                                                                      {"vae", &config.vae},
                                                                      {"kernels", &config.kernels},
                                                                      {"linears", &config.linears},
                                                                      {"plan", &config.plan}}};
  for (const auto& item : json->items()) {
    const std::string& key = item.key();
    const nlohmann::json& value = item.value();
    const auto field =
        std::find_if(texts.begin(), texts.end(), [&](const auto& entry) { return key == entry.first; });
    if (field != texts.end()) {
      if (!value.is_string()) return bad("'" + key + "' is " + value.dump() + "; it must be a text");
      *field->second = value.get<std::string>();
    } else if (key == "fault") {
      if (!value.is_string()) return bad("'fault' is " + value.dump() + "; it must be a text");
      if (value == "") continue;
      const auto fault = parse_fault(value.get<std::string>());
      if (!fault.ok()) return bad(fault.error().message);
      config.fault = *fault;
    } else if (key == "linger") {
      if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > 86400)
        return bad("'linger' is " + value.dump() + "; it must be 0 … 86400 seconds");
      config.linger = value.get<double>();
    } else {
      return bad(
          "'" + key +
          "' is not known; there are model, devices, precision, vae, kernels, linears, plan, fault and "
          "linger");
    }
  }
  if (config.model.empty()) return bad("'model' is missing: name a model folder, or random:tiny");
  SDV2_CHECK(check_choice("precision", config.precision, std::array{"auto", "fp32", "bf16"}));
  SDV2_CHECK(check_choice("vae", config.vae, std::array{"auto", "wan", "taehv"}));
  SDV2_CHECK(check_choice("kernels", config.kernels, std::array{"auto", "plain", "fused"}));
  SDV2_CHECK(check_choice("linears", config.linears, std::array{"auto", "bf16", "fp8"}));
  return config;
}

}  // namespace sdv2
