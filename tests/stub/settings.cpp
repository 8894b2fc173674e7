// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings as tables, and what they do to a picture.
#include "stub/settings.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "base/quote.h"
#include "stream/fault.h"
#include "stub/status.h"

namespace sdv2::stub {
namespace {

using Json = nlohmann::json;

enum class Kind { kText, kWord, kWords, kInteger, kNumber, kSwitch };

struct Rule {
  const char* key;
  bool live;
  Kind kind;
  double least = 0;
  double most = 0;
  std::vector<const char*> words{};
};

const std::vector<Rule>& session_rules() {
  static const std::vector<Rule> rules{
      {"width", false, Kind::kInteger, 16, 8192},
      {"height", false, Kind::kInteger, 16, 8192},
      {"fit", false, Kind::kWord, 0, 0, {"stretch", "crop", "letterbox"}},
      {"capacity", false, Kind::kInteger, 1, 64},
      {"prompt", true, Kind::kText},
      {"prompt_blend", true, Kind::kInteger, 0, 256},
      {"blend", true, Kind::kWord, 0, 0, {"linear", "slerp"}},
      {"reset_on_prompt", true, Kind::kSwitch},
      {"negative_prompt", true, Kind::kText},
      {"guidance", true, Kind::kNumber, 1, 20},
      {"guidance_mode", true, Kind::kWord, 0, 0, {"full", "self-negative", "one-time-negative"}},
      {"steps", true, Kind::kInteger, 1, 4},
      {"noise_scale", true, Kind::kNumber, 0, 1},
      {"adaptive_noise", true, Kind::kSwitch},
      {"seed", true, Kind::kInteger, 0, 9007199254740992.0},
      {"kv_cache_frames", false, Kind::kInteger, 2, 64},
      {"sink_frames", false, Kind::kInteger, 0, 63},
      {"adaptive_sink", true, Kind::kNumber, -1, 1},
      {"execution", true, Kind::kWord, 0, 0, {"latency", "throughput", "auto"}},
      {"priority", true, Kind::kInteger, -100, 100},
      {"target_fps", true, Kind::kNumber, 0, 1000},
      {"target_latency", true, Kind::kNumber, 0, 60000},
      {"degrade", true, Kind::kWords, 0, 0, {"steps", "repeat", "source"}},
      {"warm_up", false, Kind::kWord, 0, 0, {"chunk", "frame"}},
      {"similarity_filter", true, Kind::kNumber, 0, 1},
      {"mix", true, Kind::kNumber, 0, 1},
  };
  return rules;
}

const std::vector<Rule>& model_rules() {
  static const std::vector<Rule> rules{
      {"model", false, Kind::kText},
      {"devices", false, Kind::kText},
      {"precision", false, Kind::kWord, 0, 0, {"auto", "fp32", "bf16"}},
      {"vae", false, Kind::kWord, 0, 0, {"auto", "wan", "taehv"}},
      {"kernels", false, Kind::kWord, 0, 0, {"auto", "plain", "fused"}},
      {"linears", false, Kind::kWord, 0, 0, {"auto", "bf16", "fp8"}},
      {"plan", false, Kind::kText},
      {"fault", false, Kind::kText},
      {"linger", false, Kind::kNumber, 0, 1e9},
  };
  return rules;
}

std::string short_number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

Result<void> check_value(const Rule& rule, const Json& value) {
  const std::string key = "setting '" + std::string(rule.key) + "'";
  switch (rule.kind) {
    case Kind::kText:
      if (!value.is_string()) return invalid(key + " must be a text");
      return {};
    case Kind::kSwitch:
      if (!value.is_boolean()) return invalid(key + " must be true or false");
      return {};
    case Kind::kInteger:
      // As integers: 2^53 + 1 is no double.
      if (value.is_number_integer() && value.get<int64_t>() >= static_cast<int64_t>(rule.least) &&
          value.get<int64_t>() <= static_cast<int64_t>(rule.most))
        return {};
      return invalid(key + " must be a whole number from " + short_number(rule.least) + " to " +
                     short_number(rule.most));
    case Kind::kNumber:
      if (value.is_number() && value >= rule.least && value <= rule.most) return {};
      return invalid(key + " must be a number from " + short_number(rule.least) + " to " +
                     short_number(rule.most));
    case Kind::kWord:
    case Kind::kWords:
      break;
  }
  const Json given = rule.kind == Kind::kWords ? value : Json::array({value});
  const auto is_known = [&](const Json& each) {
    return std::any_of(rule.words.begin(), rule.words.end(), [&](const char* word) { return each == word; });
  };
  if (given.is_array() && std::all_of(given.begin(), given.end(), is_known)) return {};
  std::string words;
  for (const char* word : rule.words) words += (words.empty() ? "'" : ", '") + std::string(word) + "'";
  return invalid(key + (rule.kind == Kind::kWords ? " must be a list of " : " must be one of ") + words);
}

Result<void> apply(Json& settings, const Json& changes, const std::vector<Rule>& rules, bool live) {
  for (const auto& item : changes.items()) {
    const std::string& key = item.key();
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& each) { return key == each.key; });
    if (rule == rules.end()) return invalid("unknown setting " + quote(key));
    if (live && !rule->live)
      return invalid("setting '" + key + "' can only be given when the session is opened");
    SDV2_CHECK(check_value(*rule, item.value()));
    settings[key] = item.value();
  }
  return {};
}

bool is_device(std::string_view name) {
  constexpr std::string_view kCuda = "cuda:";
  if (name == "cpu") return true;
  if (!name.starts_with(kCuda)) return false;
  const std::string_view index = name.substr(kCuda.size());
  return !index.empty() && index.size() <= 3 &&
         index.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<void> check_devices(std::string_view list) {
  if (list == "auto") return {};
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view name = list.substr(begin, end - begin);
    if (!is_device(name)) return invalid("setting 'devices': unknown device " + quote(name));
    begin = end + 1;
  }
  return {};
}

uint64_t fnv1a(std::string_view text, uint64_t hash) {
  for (const char letter : text) hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

Result<Json> complete_config(const Json& config) {
  Json given = config;
  given.erase("stub");
  Json whole = {{"devices", "auto"}, {"precision", "auto"}, {"vae", "auto"}, {"kernels", "auto"},
                {"linears", "auto"}, {"plan", "auto"},      {"linger", 0}};
  SDV2_CHECK(apply(whole, given, model_rules(), false));
  if (!whole.contains("model") || whole["model"].get_ref<const std::string&>().empty())
    return invalid("setting 'model' is required");
  const auto& devices = whole["devices"].get_ref<const std::string&>();
  SDV2_CHECK(check_devices(devices));
  if (whole.contains("fault") && whole["fault"] != "") {
    SDV2_TRY(const Fault fault, parse_fault(whole["fault"].get<std::string>()));
    const auto count = static_cast<size_t>(std::count(devices.begin(), devices.end(), ',')) + 1;
    if (fault.worker >= count)
      return invalid("setting 'fault': there are " + std::to_string(count) + " devices, counted from 0");
  }
  return whole;
}

Json default_settings(const Program& program) {
  return {{"width", program.width},
          {"height", program.height},
          {"fit", "stretch"},
          {"capacity", 4},
          {"prompt", ""},
          {"prompt_blend", 0},
          {"blend", "linear"},
          {"reset_on_prompt", false},
          {"negative_prompt", ""},
          {"guidance", 1.0},
          {"guidance_mode", "self-negative"},
          {"steps", 2},
          {"noise_scale", 0.7},
          {"adaptive_noise", true},
          {"seed", 0},
          {"kv_cache_frames", 6},
          {"sink_frames", 3},
          {"adaptive_sink", 0.2},
          {"execution", "auto"},
          {"priority", 0},
          {"target_fps", 0},
          {"target_latency", 0},
          {"degrade", Json::array()},
          {"warm_up", "chunk"},
          {"similarity_filter", 0.0},
          {"mix", 1.0}};
}

Result<Json> change_settings(Json settings, const Json& changes, bool live) {
  SDV2_CHECK(apply(settings, changes, session_rules(), live));
  if (settings["width"].get<int>() % 16 != 0) return invalid("setting 'width' must be a multiple of 16");
  if (settings["height"].get<int>() % 16 != 0) return invalid("setting 'height' must be a multiple of 16");
  if (settings["sink_frames"] >= settings["kv_cache_frames"])
    return invalid("setting 'sink_frames' must be less than 'kv_cache_frames'");
  return settings;
}

bool prompt_differs(const Json& a, const Json& b) {
  return a["prompt"] != b["prompt"] || a["negative_prompt"] != b["negative_prompt"];
}

Look look_of(const Json& settings, const Json& defaults) {
  Look look;
  look.mix = settings["mix"].get<double>();
  constexpr uint64_t kSeed = 0xcbf29ce484222325ULL;
  uint64_t hash = kSeed;
  for (const char* key :
       {"prompt", "negative_prompt", "guidance", "guidance_mode", "steps", "noise_scale", "seed"})
    if (const Json& value = settings[key]; value != defaults[key])
      hash = fnv1a(key + (value.is_number() ? Json(value.get<double>()) : value).dump(), hash);
  if (hash == kSeed) return look;
  // Fold all bits into three bytes; never 0, so that a tint is always seen.
  hash ^= hash >> 32;
  for (size_t channel = 0; channel < 3; ++channel)
    look.tint[channel] = static_cast<uint8_t>((hash >> (8 * channel)) % 255 + 1);
  return look;
}

std::array<uint8_t, 4> restyle(const std::array<uint8_t, 4>& pixel, const Look& look) {
  std::array<uint8_t, 4> out = pixel;
  for (size_t channel = 0; channel < 3; ++channel) {
    const auto changed = static_cast<uint8_t>(255 - pixel[channel] + look.tint[channel]);
    out[channel] = static_cast<uint8_t>(std::lround(look.mix * changed + (1 - look.mix) * pixel[channel]));
  }
  return out;
}

}  // namespace sdv2::stub
