// SPDX-License-Identifier: LGPL-2.1-or-later
// What the application has set on sdv2transform, and the JSON documents that the engine gets of it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "transform/model_info.h"

namespace sdv2 {

// In the order of their names in transform_settings.cpp, which are the engine's words and the GEnum nicks.
enum class Precision { kAuto, kFp32, kBf16 };
enum class VaeKind { kAuto, kWan, kTaehv };
enum class Kernels { kAuto, kPlain, kFused };
enum class Linears { kAuto, kBf16, kFp8 };
enum class PromptBlendMode { kLinear, kSlerp };
enum class GuidanceMode { kFull, kSelfNegative, kOneTimeNegative };
enum class Fit { kStretch, kCrop, kLetterbox };
enum class Execution { kAuto, kLatency, kThroughput };
enum class WarmUp { kChunk, kFrame };
// What may be given up while deadlines cannot hold; flags.
enum class Degrade : unsigned { kSteps = 1, kRepeat = 2, kSource = 4 };
// What happens to frames of which the time has come before their pictures are ready.
enum class OnLate { kWait, kRepeat, kPassthrough, kDrop };
// What happens to frames that the engine could not transform.
enum class OnError { kStop, kRepeat, kPassthrough };
// What happens when a device has failed that the model runs on.
enum class OnDeviceLoss { kStop, kReplan };
// What happens to frames that come before the model is loaded.
enum class WhileLoading { kHold, kPassthrough, kDrop };

// Defaults are those of the properties; transform_properties.cpp documents them.
struct TransformSettings {
  // Of the model.
  std::string model;   // empty: the one that comes with sdv2
  std::string engine;  // empty: searched
  std::string devices = "auto";
  Precision precision = Precision::kAuto;
  VaeKind vae = VaeKind::kAuto;
  Kernels kernels = Kernels::kAuto;
  Linears linears = Linears::kAuto;
  std::string plan = "auto";
  unsigned linger = 10;  // seconds

  // Of a session, from its beginning.
  unsigned width = 0;   // pixels; 0: the model's
  unsigned height = 0;  // pixels; 0: the model's
  Fit fit = Fit::kStretch;
  unsigned max_chunks = 4;
  unsigned kv_cache_frames = 0;  // 0: the model's
  int sink_frames = -1;          // -1: the model's
  WarmUp warm_up = WarmUp::kChunk;

  // Of a session, at any time.
  std::string prompt;
  std::string negative_prompt;
  double guidance = 1.0;
  GuidanceMode guidance_mode = GuidanceMode::kSelfNegative;
  unsigned prompt_blend = 0;  // chunks
  PromptBlendMode prompt_blend_mode = PromptBlendMode::kLinear;
  bool reset_on_prompt = false;
  unsigned steps = 0;         // 0: the model's
  double noise_scale = -1.0;  // -1: the model's
  bool adaptive_noise = true;
  uint64_t seed = 0;
  double adaptive_sink = -2.0;  // -1: off; -2: the model's
  double mix = 1.0;
  Execution execution = Execution::kAuto;
  double similarity_filter = 0.0;
  int priority = 0;
  double target_fps = 0.0;      // 0: not told
  uint64_t target_latency = 0;  // nanoseconds; 0: the pipeline's
  unsigned degrade = 0;         // Degrade flags

  // Of the element.
  OnLate on_late = OnLate::kWait;
  OnError on_error = OnError::kStop;
  OnDeviceLoss on_device_loss = OnDeviceLoss::kStop;
  WhileLoading while_loading = WhileLoading::kHold;
  bool bypass = false;
  uint64_t processing_latency = 0;  // nanoseconds; 0: measured

  bool operator==(const TransformSettings&) const = default;

  // Whether the pictures that come in may have to leave again.
  bool needs_source() const {
    return bypass || on_late == OnLate::kPassthrough || on_error == OnError::kPassthrough;
  }
};

// Settings that can change between two chunks.
enum class LiveSetting {
  kPrompt,
  kNegativePrompt,
  kGuidance,
  kGuidanceMode,
  kPromptBlend,
  kPromptBlendMode,
  kResetOnPrompt,
  kSteps,
  kNoiseScale,
  kAdaptiveNoise,
  kSeed,
  kAdaptiveSink,
  kMix,
  kExecution,
  kSimilarityFilter,
  kPriority,
  kTargetFps,
  kTargetLatency,
  kDegrade,
};
using LiveSettings = std::set<LiveSetting>;

// The property of a live setting ("noise-scale").
const char* property_name(LiveSetting setting);
// The live setting of a property; nothing for others.
std::optional<LiveSetting> live_setting_named(std::string_view property);

// For sdv2_model_open. `model`: the folder or "random:...", for settings.model may be empty.
std::string model_config_json(const TransformSettings& settings, const std::string& model);
// For sdv2_session_open.
std::string session_settings_json(const TransformSettings& settings);
// For sdv2_session_set: the named settings. One that is back at "the model's" gets the value that `info` has.
std::string session_changes_json(const TransformSettings& settings, const LiveSettings& changed,
                                 const ModelInfo& info);

}  // namespace sdv2
