// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings as JSON.
#include "transform/transform_settings.h"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace sdv2 {
namespace {

using Json = nlohmann::json;

template <class Enum, size_t kSize>
const char* word(const std::array<const char*, kSize>& words, Enum value) {
  return words.at(static_cast<size_t>(value));
}
constexpr std::array kPrecisions = {"auto", "fp32", "bf16"};
constexpr std::array kVaes = {"auto", "wan", "taehv"};
constexpr std::array kKernels = {"auto", "plain", "fused"};
constexpr std::array kLinears = {"auto", "bf16", "fp8"};
constexpr std::array kPromptBlendModes = {"linear", "slerp"};
constexpr std::array kGuidanceModes = {"full", "self-negative", "one-time-negative"};
constexpr std::array kFits = {"stretch", "crop", "letterbox"};
constexpr std::array kExecutions = {"auto", "latency", "throughput"};
constexpr std::array kWarmUps = {"chunk", "frame"};

constexpr std::array kDegrades = {std::pair(Degrade::kSteps, "steps"), std::pair(Degrade::kRepeat, "repeat"),
                                  std::pair(Degrade::kSource, "source")};

struct LiveName {
  LiveSetting setting;
  const char* property;
  const char* key;
};
constexpr std::array kLiveNames = {
    LiveName{LiveSetting::kPrompt, "prompt", "prompt"},
    LiveName{LiveSetting::kNegativePrompt, "negative-prompt", "negative_prompt"},
    LiveName{LiveSetting::kGuidance, "guidance", "guidance"},
    LiveName{LiveSetting::kGuidanceMode, "guidance-mode", "guidance_mode"},
    LiveName{LiveSetting::kPromptBlend, "prompt-blend", "prompt_blend"},
    LiveName{LiveSetting::kPromptBlendMode, "prompt-blend-mode", "blend"},
    LiveName{LiveSetting::kResetOnPrompt, "reset-on-prompt", "reset_on_prompt"},
    LiveName{LiveSetting::kSteps, "steps", "steps"},
    LiveName{LiveSetting::kNoiseScale, "noise-scale", "noise_scale"},
    LiveName{LiveSetting::kAdaptiveNoise, "adaptive-noise", "adaptive_noise"},
    LiveName{LiveSetting::kSeed, "seed", "seed"},
    LiveName{LiveSetting::kAdaptiveSink, "adaptive-sink", "adaptive_sink"},
    LiveName{LiveSetting::kMix, "mix", "mix"},
    LiveName{LiveSetting::kExecution, "execution", "execution"},
    LiveName{LiveSetting::kSimilarityFilter, "similarity-filter", "similarity_filter"},
    LiveName{LiveSetting::kPriority, "priority", "priority"},
    LiveName{LiveSetting::kTargetFps, "target-fps", "target_fps"},
    LiveName{LiveSetting::kTargetLatency, "target-latency", "target_latency"},
    LiveName{LiveSetting::kDegrade, "degrade", "degrade"},
};

const LiveName& names(LiveSetting setting) { return kLiveNames.at(static_cast<size_t>(setting)); }

Json degrade_names(unsigned flags) {
  Json names = Json::array();
  for (const auto& [flag, name] : kDegrades)
    if (flags & static_cast<unsigned>(flag)) names.push_back(name);
  return names;
}

// The value for the engine; null when it is the model's own.
Json value_of(const TransformSettings& s, LiveSetting setting) {
  switch (setting) {
    case LiveSetting::kPrompt:
      return s.prompt;
    case LiveSetting::kNegativePrompt:
      return s.negative_prompt;
    case LiveSetting::kGuidance:
      return s.guidance;
    case LiveSetting::kGuidanceMode:
      return word(kGuidanceModes, s.guidance_mode);
    case LiveSetting::kPromptBlend:
      return s.prompt_blend;
    case LiveSetting::kPromptBlendMode:
      return word(kPromptBlendModes, s.prompt_blend_mode);
    case LiveSetting::kResetOnPrompt:
      return s.reset_on_prompt;
    case LiveSetting::kSteps:
      return s.steps > 0 ? Json(s.steps) : Json();
    case LiveSetting::kNoiseScale:
      return s.noise_scale >= 0 ? Json(s.noise_scale) : Json();
    case LiveSetting::kAdaptiveNoise:
      return s.adaptive_noise;
    case LiveSetting::kSeed:
      return s.seed;
    case LiveSetting::kAdaptiveSink:
      return s.adaptive_sink >= -1 ? Json(s.adaptive_sink) : Json();
    case LiveSetting::kMix:
      return s.mix;
    case LiveSetting::kExecution:
      return word(kExecutions, s.execution);
    case LiveSetting::kSimilarityFilter:
      return s.similarity_filter;
    case LiveSetting::kPriority:
      return s.priority;
    case LiveSetting::kTargetFps:
      return s.target_fps;
    case LiveSetting::kTargetLatency:
      return static_cast<double>(s.target_latency) * 1e-6;
    case LiveSetting::kDegrade:
      return degrade_names(s.degrade);
  }
  return {};
}

// The model's own value of a setting; null when it is not known.
Json models_own(const ModelInfo& info, LiveSetting setting) {
  const auto known = [](const auto& value) { return value ? Json(*value) : Json(); };
  if (setting == LiveSetting::kSteps) return known(info.steps);
  if (setting == LiveSetting::kNoiseScale) return known(info.noise_scale);
  if (setting == LiveSetting::kAdaptiveSink) return known(info.adaptive_sink);
  return {};
}

// Text that an application gave may not be UTF-8.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

const char* property_name(LiveSetting setting) { return names(setting).property; }

std::optional<LiveSetting> live_setting_named(std::string_view property) {
  for (const LiveName& name : kLiveNames) {
    if (property == name.property) return name.setting;
  }
  return std::nullopt;
}

std::string model_config_json(const TransformSettings& s, const std::string& model) {
  Json json = {{"model", model},
               {"devices", s.devices},
               {"precision", word(kPrecisions, s.precision)},
               {"vae", word(kVaes, s.vae)},
               {"plan", s.plan},
               {"linger", s.linger}};
  // Engines of before these choices refuse them.
  if (s.kernels != Kernels::kAuto) json["kernels"] = word(kKernels, s.kernels);
  if (s.linears != Linears::kAuto) json["linears"] = word(kLinears, s.linears);
  return text_of(json);
}

std::string session_settings_json(const TransformSettings& s) {
  Json json = {
      {"fit", word(kFits, s.fit)}, {"capacity", s.max_chunks}, {"warm_up", word(kWarmUps, s.warm_up)}};
  if (s.width > 0) json["width"] = s.width;
  if (s.height > 0) json["height"] = s.height;
  if (s.kv_cache_frames > 0) json["kv_cache_frames"] = s.kv_cache_frames;
  if (s.sink_frames >= 0) json["sink_frames"] = s.sink_frames;
  for (const LiveName& name : kLiveNames) {
    Json value = value_of(s, name.setting);
    if (!value.is_null()) json[name.key] = std::move(value);
  }
  return text_of(json);
}

std::string session_changes_json(const TransformSettings& s, const LiveSettings& changed,
                                 const ModelInfo& info) {
  Json json = Json::object();
  for (const LiveSetting setting : changed) {
    Json value = value_of(s, setting);
    if (value.is_null()) value = models_own(info, setting);
    if (!value.is_null()) json[names(setting).key] = std::move(value);
  }
  return text_of(json);
}

}  // namespace sdv2
