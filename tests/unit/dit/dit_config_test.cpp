// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/dit_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sdv2 {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json original_14b() {
  return {{"_class_name", "WanModel"},
          {"_diffusers_version", "0.30.0"},
          {"dim", 5120},
          {"eps", 1e-6},
          {"ffn_dim", 13824},
          {"freq_dim", 256},
          {"in_dim", 16},
          {"model_type", "t2v"},
          {"num_heads", 40},
          {"num_layers", 40},
          {"out_dim", 16},
          {"text_len", 512}};
}

TEST(DitConfig, ReadsTheOriginalLayout) {
  const auto config = parse_dit_config(original_14b(), "config.json");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(*config, DitConfig::wan_14b());
}

TEST(DitConfig, ReadsTheDiffusersLayout) {
  const json diffusers = {{"_class_name", "WanTransformer3DModel"},
                          {"added_kv_proj_dim", nullptr},
                          {"attention_head_dim", 128},
                          {"cross_attn_norm", true},
                          {"eps", 1e-6},
                          {"ffn_dim", 8960},
                          {"freq_dim", 256},
                          {"in_channels", 16},
                          {"num_attention_heads", 12},
                          {"num_layers", 30},
                          {"out_channels", 16},
                          {"patch_size", {1, 2, 2}},
                          {"qk_norm", "rms_norm_across_heads"},
                          {"rope_max_seq_len", 1024},
                          {"text_dim", 4096}};
  const auto config = parse_dit_config(diffusers, "config.json");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(*config, DitConfig::wan_1_3b());
}

struct BadValue {
  const char* field;
  json value;
  ErrorCode code;
};

TEST(DitConfig, RefusesWhatItCannotRun) {
  const std::vector<BadValue> cases = {
      {"model_type", "i2v", ErrorCode::kUnsupported}, {"patch_size", {1, 4, 4}, ErrorCode::kUnsupported},
      {"num_heads", 39, ErrorCode::kUnsupported},  // heads of another size
      {"qk_norm", false, ErrorCode::kUnsupported},    {"dim", "5120", ErrorCode::kCorrupt},
      {"num_layers", 0, ErrorCode::kCorrupt},         {"num_layers", 1e9, ErrorCode::kCorrupt},
      {"ffn_dim", -1, ErrorCode::kCorrupt},           {"ffn_dim", 18446744073709551615u, ErrorCode::kCorrupt},
      {"freq_dim", 255, ErrorCode::kCorrupt},         {"eps", 0, ErrorCode::kCorrupt},
      {"eps", "small", ErrorCode::kCorrupt},
  };
  for (const auto& bad : cases) {
    json config = original_14b();
    config[bad.field] = bad.value;
    const auto parsed = parse_dit_config(config, "here/config.json");
    ASSERT_FALSE(parsed.ok()) << bad.field << " " << bad.value;
    EXPECT_EQ(parsed.error().code, bad.code) << parsed.error().message;
    EXPECT_THAT(parsed.error().message, HasSubstr("here/config.json"));
  }
  EXPECT_FALSE(parse_dit_config(json::array({1, 2}), "config.json").ok());
}

}  // namespace
}  // namespace sdv2
