// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of a session as values, and how they are read from the JSON objects of the C ABI.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "diffusion/guidance.h"
#include "image/fit.h"
#include "sched/degradation.h"
#include "stream/execution.h"

namespace sdv2 {

enum class PromptBlend : uint8_t { kLinear, kSlerp };

// What may change while the stream runs; every chunk carries the values it was submitted with.
struct LiveSettings {
  std::string prompt;
  int prompt_blend = 0;  // chunks over which a new prompt is faded in, 0…256; 0: at once
  PromptBlend blend = PromptBlend::kLinear;
  bool reset_on_prompt = false;  // a new prompt clears the KV cache
  std::string negative_prompt;
  double guidance = 1;  // 1…20, 1 is off
  GuidanceMode guidance_mode = GuidanceMode::kSelfNegative;
  int steps = 2;             // 1…4
  double noise_scale = 0.8;  // 0…1
  bool adaptive_noise = true;
  uint64_t seed = 0;          // 0…2^53
  double adaptive_sink = -1;  // cosine similarity -1…1, -1 is off
  Execution execution = Execution::kAuto;
  int priority = 0;                   // -100…100
  double target_fps = 0;              // frames per second that have to hold, 0…1000; 0: not told
  double target_latency_ms = 0;       // from a chunk's first frame to its pictures, 0…60000; 0: any
  uint8_t degrade = kDegradeNothing;  // what may be given up (Degrade): steps, repeat, source
  double similarity_filter = 0;       // 0 off, else the cosine similarity above which chunks may be skipped
  double mix = 1;                     // 0…1, share of the restyled picture

  bool operator==(const LiveSettings&) const = default;
};

// What is fixed when a session opens.
struct SessionSettings {
  int width = 832;  // pixels, multiples of 16
  int height = 480;
  Fit fit = Fit::kStretch;          // how a picture of another shape is brought to that size
  int capacity = 4;                 // chunks under way or unread, 1…64
  int64_t kv_cache_frames = 6;      // latent frames, 2…64
  int64_t sink_frames = 3;          // of them
  bool warm_up_with_frame = false;  // the first chunk is the first frame alone, repeated
  LiveSettings live;
};

// Limits that a model sets.
struct SettingLimits {
  int max_steps = 4;
};

// Reads a settings object over the defaults. Errors: kInvalidArgument naming the field, its value and what is
// allowed; unknown fields are errors too.
Result<SessionSettings> parse_settings(std::string_view json, const SessionSettings& defaults,
                                       const SettingLimits& limits);

// The same for live settings only; a field that is fixed when a session opens is an error that says so.
Result<LiveSettings> parse_changes(std::string_view json, const LiveSettings& current,
                                   const SettingLimits& limits);

// The settings as a JSON object that parse_settings would take.
std::string to_json(const SessionSettings& settings);

}  // namespace sdv2
