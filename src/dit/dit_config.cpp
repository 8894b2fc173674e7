// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/dit_config.h"

#include <array>
#include <nlohmann/json.hpp>

namespace sdv2 {
namespace {

// One size of the configuration under its name in a file. `limit` keeps products of sizes far from overflow.
struct Field {
  const char* name;
  int64_t DitConfig::*member;
  int64_t limit;
};

constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxCount = 4096;

constexpr std::array kCommonFields = {
    Field{"ffn_dim", &DitConfig::ffn_dim, kMaxWidth},
    Field{"num_layers", &DitConfig::num_layers, kMaxCount},
    Field{"freq_dim", &DitConfig::freq_dim, kMaxWidth},
    Field{"text_dim", &DitConfig::text_dim, kMaxWidth},
    Field{"text_len", &DitConfig::text_len, kMaxWidth},
};
constexpr std::array kOriginalFields = {
    Field{"dim", &DitConfig::dim, kMaxWidth},
    Field{"num_heads", &DitConfig::num_heads, kMaxCount},
    Field{"in_dim", &DitConfig::in_dim, kMaxCount},
    Field{"out_dim", &DitConfig::out_dim, kMaxCount},
};
constexpr std::array kDiffusersFields = {
    Field{"num_attention_heads", &DitConfig::num_heads, kMaxCount},
    Field{"in_channels", &DitConfig::in_dim, kMaxCount},
    Field{"out_channels", &DitConfig::out_dim, kMaxCount},
};

Error corrupt(const std::string& where, const std::string& what) {
  return {ErrorCode::kCorrupt, where + ": " + what};
}

Error unsupported(const std::string& where, const std::string& what) {
  return {ErrorCode::kUnsupported,
          where + ": " + what + ". Only Wan 2.1 text-to-video transformers can be run."};
}

template <size_t kSize>
Result<void> read_fields(const nlohmann::json& json, const std::array<Field, kSize>& fields,
                         const std::string& where, DitConfig& out) {
  for (const auto& field : fields) {
    const auto value = json.find(field.name);
    if (value == json.end()) continue;
    if (!value->is_number_integer() || *value < 1 || *value > field.limit)
      return corrupt(where, std::string(field.name) + " is " + value->dump() +
                                ", wanted an integer from 1 to " + std::to_string(field.limit));
    out.*field.member = value->template get<int64_t>();
  }
  return {};
}

// What must be as it is in every Wan 2.1 text-to-video network when the file says anything about it.
Result<void> check_kind(const nlohmann::json& json, const std::string& where) {
  const auto differs = [&](const char* name, const nlohmann::json& wanted) {
    const auto value = json.find(name);
    return value != json.end() && !value->is_null() && *value != wanted;
  };
  const auto model_type = json.find("model_type");
  if (model_type != json.end() && *model_type != "t2v")
    return unsupported(where, "model_type is " + model_type->dump());
  if (differs("patch_size", {1, kPatch, kPatch})) return unsupported(where, "patch_size is not [1, 2, 2]");
  if (differs("attention_head_dim", kHeadDim)) return unsupported(where, "attention_head_dim is not 128");
  if (differs("qk_norm", true) && differs("qk_norm", "rms_norm_across_heads"))
    return unsupported(where, "qk_norm is " + json.at("qk_norm").dump());
  if (differs("cross_attn_norm", true)) return unsupported(where, "cross_attn_norm is off");
  return {};
}

}  // namespace

Result<DitConfig> parse_dit_config(const nlohmann::json& config, const std::string& where) {
  if (!config.is_object()) return corrupt(where, "not a JSON object");
  SDV2_CHECK(check_kind(config, where));
  DitConfig out;
  SDV2_CHECK(read_fields(config, kCommonFields, where, out));
  if (config.contains("num_attention_heads")) {
    SDV2_CHECK(read_fields(config, kDiffusersFields, where, out));
    out.dim = out.num_heads * kHeadDim;
  } else {
    SDV2_CHECK(read_fields(config, kOriginalFields, where, out));
  }
  if (out.dim != out.num_heads * kHeadDim)
    return unsupported(where, "dim " + std::to_string(out.dim) + " is not num_heads " +
                                  std::to_string(out.num_heads) + " × 128");
  if (out.freq_dim % 2 != 0) return corrupt(where, "freq_dim is odd");
  if (const auto eps = config.find("eps"); eps != config.end()) {
    if (!eps->is_number() || *eps <= 0.0 || *eps >= 1.0) return corrupt(where, "eps is " + eps->dump());
    out.eps = eps->get<double>();
  }
  return out;
}

}  // namespace sdv2
