// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/hub_config.h"

#include "base/quote.h"
#include "model/json_fields.h"

namespace sdv2 {
namespace {

using nlohmann::json;

// A field that must have the only value that sdv2 runs, when the file states it.
struct Fixed {
  const char* key;
  json value;
};

Result<void> check_fixed(const json& config, const std::string& where, std::initializer_list<Fixed> fields) {
  for (const auto& [key, value] : fields) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null() || *found == value) continue;
    return Error{ErrorCode::kUnsupported, where + ": " + key + " is " + quote(found->dump()) +
                                              ", sdv2 runs only " + value.dump() +
                                              ". Is this a Wan 2.1 model?"};
  }
  return {};
}

}  // namespace

Result<void> apply_dit_config(const json& config, const std::string& where, DitConfig& spec) {
  SDV2_TRY(const DitConfig stated, parse_dit_config(config, where));
  const auto take = [&](std::initializer_list<const char*> keys, auto DitConfig::*member) {
    for (const char* const key : keys)
      if (config.contains(key)) spec.*member = stated.*member;
  };
  take({"dim", "num_attention_heads"}, &DitConfig::dim);
  take({"num_heads", "num_attention_heads"}, &DitConfig::num_heads);
  take({"ffn_dim"}, &DitConfig::ffn_dim);
  take({"num_layers"}, &DitConfig::num_layers);
  take({"freq_dim"}, &DitConfig::freq_dim);
  take({"text_dim"}, &DitConfig::text_dim);
  take({"text_len"}, &DitConfig::text_len);
  take({"in_dim", "in_channels"}, &DitConfig::in_dim);
  take({"out_dim", "out_channels"}, &DitConfig::out_dim);
  take({"eps"}, &DitConfig::eps);
  return {};
}

std::optional<int64_t> dit_width_of(const json& config) {
  const auto parsed = parse_dit_config(config, "");
  if (!parsed.ok() || !(config.contains("dim") || config.contains("num_attention_heads")))
    return std::nullopt;
  return parsed->dim;
}

Result<void> apply_wan_vae_config(const json& config, const std::string& where, WanVaeSpec& spec) {
  JsonFields fields(config, where, "");
  fields.optional("base_dim", spec.base_dim);
  SDV2_CHECK(fields.result(false));
  return check_fixed(config, where,
                     {{"z_dim", 16},
                      {"dim_mult", {1, 2, 4, 4}},
                      {"num_res_blocks", 2},
                      {"attn_scales", json::array()},
                      {"temperal_downsample", {false, true, true}},  // as the files spell it
                      {"is_residual", false}});
}

Result<void> apply_text_encoder_config(const json& config, const std::string& where, TextEncoderSpec& spec) {
  JsonFields fields(config, where, "");
  int64_t head_dim = 64;
  fields.optional("vocab_size", spec.vocab);
  fields.optional("d_model", spec.dim);
  fields.optional("d_ff", spec.dim_ffn);
  fields.optional("num_heads", spec.num_heads);
  fields.optional("num_layers", spec.num_layers);
  fields.optional("layer_norm_epsilon", spec.eps);
  fields.optional("d_kv", head_dim);
  SDV2_CHECK(fields.result(false));
  if (config.contains("d_kv") && head_dim > 0 && head_dim < 4096 && spec.num_heads > 0 &&
      spec.num_heads < 4096)
    spec.dim_attn = spec.num_heads * head_dim;
  return check_fixed(config, where,
                     {{"relative_attention_num_buckets", 32},
                      {"relative_attention_max_distance", 128},
                      {"feed_forward_proj", "gated-gelu"},
                      {"model_type", "umt5"}});
}

}  // namespace sdv2
