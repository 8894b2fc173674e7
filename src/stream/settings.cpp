// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/settings.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/json.h"

namespace sdv2 {
namespace {

using Json = nlohmann::json;

constexpr double kMaxWhole = 9007199254740992;  // 2^53: what JSON numbers hold exactly everywhere
constexpr size_t kMaxPromptBytes = 65536;       // what the text encoder takes
constexpr JsonLimits kLimits = {
    .max_bytes = 1 << 20, .max_depth = 4, .max_values = 1000, .max_string = 1 << 18};

Error bad(const std::string& key, const Json& value, const std::string& allowed) {
  return {ErrorCode::kInvalidArgument,
          "setting '" + key + "' is " + value.dump() + "; it must be " + allowed};
}

std::string number_text(double value) {
  const bool whole = std::abs(value) <= kMaxWhole && value == std::floor(value);
  return whole ? std::to_string(static_cast<int64_t>(value)) : Json(value).dump();
}

// Readers of one value each. All take (key, value, target, …).
Result<void> read(const std::string& key, const Json& value, bool& target) {
  if (!value.is_boolean()) return bad(key, value, "true or false");
  target = value.get<bool>();
  return {};
}

Result<void> read_text(const std::string& key, const Json& value, std::string& target) {
  if (!value.is_string()) return bad(key, value, "a text");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > kMaxPromptBytes)
    return Error{ErrorCode::kInvalidArgument, "setting '" + key + "' has " + std::to_string(text.size()) +
                                                  " bytes; at most " + std::to_string(kMaxPromptBytes) +
                                                  " are allowed"};
  target = text;
  return {};
}

template <class T>
bool in_range(const Json& value, double lowest, double highest) {
  if constexpr (std::is_integral_v<T>) {
    // As whole numbers: 2^53 + 1 is no double.
    if (value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max())
      return false;
    const auto number = value.get<int64_t>();
    return number >= static_cast<int64_t>(lowest) && number <= static_cast<int64_t>(highest);
  } else {
    const auto number = value.get<double>();
    return number >= lowest && number <= highest;
  }
}

template <class T>
Result<void> read(const std::string& key, const Json& value, T& target, double lowest, double highest) {
  const bool whole = std::is_integral_v<T>;
  const std::string allowed =
      (whole ? "a whole number " : "a number ") + number_text(lowest) + " … " + number_text(highest);
  if (!value.is_number() || (whole && !value.is_number_integer())) return bad(key, value, allowed);
  if (!in_range<T>(value, lowest, highest)) return bad(key, value, allowed);
  target = value.get<T>();
  return {};
}

template <class E, size_t N>
using Names = std::array<std::pair<const char*, E>, N>;

template <class E, size_t N>
Result<void> read(const std::string& key, const Json& value, E& target, const Names<E, N>& names) {
  std::string allowed;
  for (const auto& [name, meaning] : names) {
    if (value == name) {
      target = meaning;
      return {};
    }
    allowed += (allowed.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  return bad(key, value, "one of " + allowed);
}

template <class E, size_t N>
const char* name_of(E value, const Names<E, N>& names) {
  for (const auto& [name, meaning] : names)
    if (meaning == value) return name;
  return "";
}

// A list of names is a set of flags.
template <class Flag, size_t N>
Result<void> read_flags(const std::string& key, const Json& value, uint8_t& target,
                        const Names<Flag, N>& names) {
  if (!value.is_array())
    return bad(key, value, "a list of names, like [\"" + std::string(names[0].first) + "\"]");
  uint8_t flags = 0;
  for (const Json& name : value) {
    Flag flag{};
    SDV2_CHECK(read(key, name, flag, names));
    flags |= flag;
  }
  target = flags;
  return {};
}

template <class Flag, size_t N>
Json names_of(uint8_t flags, const Names<Flag, N>& names) {
  Json list = Json::array();
  for (const auto& [name, flag] : names)
    if (flags & flag) list.push_back(name);
  return list;
}

constexpr Names<Fit, 3> kFits = {
    {{"stretch", Fit::kStretch}, {"crop", Fit::kCrop}, {"letterbox", Fit::kLetterbox}}};
constexpr Names<PromptBlend, 2> kBlends = {
    {{"linear", PromptBlend::kLinear}, {"slerp", PromptBlend::kSlerp}}};
constexpr Names<GuidanceMode, 3> kGuidanceModes = {{{"full", GuidanceMode::kFull},
                                                    {"self-negative", GuidanceMode::kSelfNegative},
                                                    {"one-time-negative", GuidanceMode::kOneTimeNegative}}};
constexpr Names<Execution, 3> kExecutions = {
    {{"latency", Execution::kLatency}, {"throughput", Execution::kThroughput}, {"auto", Execution::kAuto}}};
constexpr Names<Degrade, 3> kDegrades = {
    {{"steps", kDegradeSteps}, {"repeat", kDegradeRepeat}, {"source", kDegradeSource}}};
constexpr Names<bool, 2> kWarmUps = {{{"chunk", false}, {"frame", true}}};

// False when the key is not a live setting.
Result<bool> read_live(const std::string& key, const Json& value, LiveSettings& live,
                       const SettingLimits& limits) {
  const auto done = [](Result<void> result) -> Result<bool> {
    SDV2_CHECK(std::move(result));
    return true;
  };
  if (key == "prompt") return done(read_text(key, value, live.prompt));
  if (key == "prompt_blend") return done(read(key, value, live.prompt_blend, 0, 256));
  if (key == "blend") return done(read(key, value, live.blend, kBlends));
  if (key == "reset_on_prompt") return done(read(key, value, live.reset_on_prompt));
  if (key == "negative_prompt") return done(read_text(key, value, live.negative_prompt));
  if (key == "guidance") return done(read(key, value, live.guidance, 1, 20));
  if (key == "guidance_mode") return done(read(key, value, live.guidance_mode, kGuidanceModes));
  if (key == "steps") return done(read(key, value, live.steps, 1, limits.max_steps));
  if (key == "noise_scale") return done(read(key, value, live.noise_scale, 0, 1));
  if (key == "adaptive_noise") return done(read(key, value, live.adaptive_noise));
  if (key == "seed") return done(read(key, value, live.seed, 0, kMaxWhole));
  if (key == "adaptive_sink") return done(read(key, value, live.adaptive_sink, -1, 1));
  if (key == "execution") return done(read(key, value, live.execution, kExecutions));
  if (key == "priority") return done(read(key, value, live.priority, -100, 100));
  if (key == "target_fps") return done(read(key, value, live.target_fps, 0, 1000));
  if (key == "target_latency") return done(read(key, value, live.target_latency_ms, 0, 60000));
  if (key == "degrade") return done(read_flags(key, value, live.degrade, kDegrades));
  if (key == "similarity_filter") return done(read(key, value, live.similarity_filter, 0, 1));
  if (key == "mix") return done(read(key, value, live.mix, 0, 1));
  return false;
}

Result<bool> read_fixed(const std::string& key, const Json& value, SessionSettings& settings) {
  const auto done = [](Result<void> result) -> Result<bool> {
    SDV2_CHECK(std::move(result));
    return true;
  };
  const auto size = [&](int& target) -> Result<bool> {
    SDV2_CHECK(read(key, value, target, 16, 8192));
    if (target % 16 != 0) return bad(key, value, "a multiple of 16");
    return true;
  };
  if (key == "width") return size(settings.width);
  if (key == "height") return size(settings.height);
  if (key == "fit") return done(read(key, value, settings.fit, kFits));
  if (key == "capacity") return done(read(key, value, settings.capacity, 1, 64));
  if (key == "kv_cache_frames") return done(read(key, value, settings.kv_cache_frames, 2, 64));
  if (key == "sink_frames") return done(read(key, value, settings.sink_frames, 0, 63));
  if (key == "warm_up") return done(read(key, value, settings.warm_up_with_frame, kWarmUps));
  return false;
}

Result<Json> parse_object(std::string_view text) {
  auto parsed = parse_json(text, "settings", kLimits);
  if (!parsed.ok()) return Error{ErrorCode::kInvalidArgument, parsed.error().message};
  if (!parsed->is_object())
    return Error{ErrorCode::kInvalidArgument, "settings: must be a JSON object, like {\"steps\": 2}"};
  return parsed;
}

}  // namespace

Result<SessionSettings> parse_settings(std::string_view json, const SessionSettings& defaults,
                                       const SettingLimits& limits) {
  SDV2_TRY(const Json object, parse_object(json));
  SessionSettings settings = defaults;
  for (const auto& [key, value] : object.items()) {
    SDV2_TRY(const bool live, read_live(key, value, settings.live, limits));
    if (live) continue;
    SDV2_TRY(const bool fixed, read_fixed(key, value, settings));
    if (!fixed) return Error{ErrorCode::kInvalidArgument, "'" + key + "' is not a setting of a session"};
  }
  return settings;
}

Result<LiveSettings> parse_changes(std::string_view json, const LiveSettings& current,
                                   const SettingLimits& limits) {
  SDV2_TRY(const Json object, parse_object(json));
  LiveSettings live = current;
  for (const auto& [key, value] : object.items()) {
    SDV2_TRY(const bool known, read_live(key, value, live, limits));
    if (known) continue;
    SessionSettings ignored;
    SDV2_TRY(const bool fixed, read_fixed(key, value, ignored));
    if (fixed)
      return Error{ErrorCode::kInvalidArgument,
                   "setting '" + key + "' is fixed when a session opens; open another session to change it"};
    return Error{ErrorCode::kInvalidArgument, "'" + key + "' is not a setting of a session"};
  }
  return live;
}

std::string to_json(const SessionSettings& settings) {
  const LiveSettings& live = settings.live;
  return Json{{"width", settings.width},
              {"height", settings.height},
              {"fit", name_of(settings.fit, kFits)},
              {"capacity", settings.capacity},
              {"kv_cache_frames", settings.kv_cache_frames},
              {"sink_frames", settings.sink_frames},
              {"warm_up", name_of(settings.warm_up_with_frame, kWarmUps)},
              {"prompt", live.prompt},
              {"prompt_blend", live.prompt_blend},
              {"blend", name_of(live.blend, kBlends)},
              {"reset_on_prompt", live.reset_on_prompt},
              {"negative_prompt", live.negative_prompt},
              {"guidance", live.guidance},
              {"guidance_mode", name_of(live.guidance_mode, kGuidanceModes)},
              {"steps", live.steps},
              {"noise_scale", live.noise_scale},
              {"adaptive_noise", live.adaptive_noise},
              {"seed", live.seed},
              {"adaptive_sink", live.adaptive_sink},
              {"execution", name_of(live.execution, kExecutions)},
              {"priority", live.priority},
              {"target_fps", live.target_fps},
              {"target_latency", live.target_latency_ms},
              {"degrade", names_of(live.degrade, kDegrades)},
              {"similarity_filter", live.similarity_filter},
              {"mix", live.mix}}
      .dump();
}

}  // namespace sdv2
