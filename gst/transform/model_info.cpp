// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading of sdv2_model_info.
#include "transform/model_info.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sdv2 {
namespace {

using Json = nlohmann::json;

// An integer of 1 to `most` from a document that may hold anything.
std::optional<unsigned> count_in(const Json& object, const char* key, unsigned most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<uint64_t>();
  if (value < 1 || value > most) return std::nullopt;
  return static_cast<unsigned>(value);
}

std::optional<double> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

// The devices, without those that have failed.
std::vector<std::string> working_devices(const Json& model) {
  std::vector<std::string> names;
  const auto devices = model.find("devices");
  if (devices == model.end() || !devices->is_array()) return names;
  const Json failed = model.value("failed_devices", Json::array());
  for (size_t i = 0; i < devices->size(); ++i) {
    const bool works = std::find(failed.begin(), failed.end(), Json(i)) == failed.end();
    if (works && (*devices)[i].is_string()) names.push_back((*devices)[i].get<std::string>());
  }
  return names;
}

}  // namespace

std::optional<ModelInfo> parse_model_info(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  ModelInfo info;
  info.latent_frames = count_in(json, "chunk", 64).value_or(info.latent_frames);
  info.devices = working_devices(json);
  const auto defaults = json.find("default");
  if (defaults == json.end() || !defaults->is_object()) return info;
  info.width = count_in(*defaults, "width", 16384).value_or(0);
  info.height = count_in(*defaults, "height", 16384).value_or(0);
  info.steps = count_in(*defaults, "steps", 4);
  info.noise_scale = number_in(*defaults, "noise_scale");
  info.adaptive_sink = number_in(*defaults, "adaptive_sink");
  return info;
}

}  // namespace sdv2
