// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/hub_config.h"

#include <gmock/gmock.h>

namespace sdv2 {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(HubConfig, StatedSizesOverrideKnownOnes) {
  DitConfig spec{.dim = 256, .num_heads = 2, .num_layers = 2, .text_dim = 64, .text_len = 32};
  const auto config =
      json::parse(R"({"_class_name": "WanModel", "num_layers": 4, "text_len": 16, "eps": 1e-5})");
  ASSERT_TRUE(apply_dit_config(config, "config.json", spec).ok());
  EXPECT_EQ(
      spec,
      (DitConfig{.dim = 256, .num_heads = 2, .num_layers = 4, .text_dim = 64, .text_len = 16, .eps = 1e-5}));
}

TEST(HubConfig, ReadsDiffusersTransformer) {
  DitConfig spec;
  const auto config = json::parse(
      R"({"num_attention_heads": 40, "attention_head_dim": 128, "ffn_dim": 13824, "num_layers": 40, "in_channels": 16,
          "out_channels": 16, "text_dim": 4096, "freq_dim": 256, "patch_size": [1, 2, 2], "cross_attn_norm": true,
          "qk_norm": "rms_norm_across_heads", "eps": 1e-6, "rope_max_seq_len": 1024, "added_kv_proj_dim": null})");
  ASSERT_TRUE(apply_dit_config(config, "config.json", spec).ok());
  EXPECT_EQ(spec, DitConfig::wan_14b());
  EXPECT_EQ(dit_width_of(config), 5120);
  EXPECT_EQ(dit_width_of(json::parse(R"({"num_layers": 4})")), std::nullopt);
}

TEST(HubConfig, RefusesOtherModels) {
  DitConfig dit;
  EXPECT_FALSE(apply_dit_config(json::parse(R"({"model_type": "i2v"})"), "config.json", dit).ok());
  WanVaeSpec vae;
  const auto other =
      apply_wan_vae_config(json::parse(R"({"base_dim": 160, "z_dim": 48})"), "vae/config.json", vae);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(other.error().message, HasSubstr("z_dim"));
  TextEncoderSpec text;
  EXPECT_FALSE(apply_text_encoder_config(json::parse(R"({"model_type": "t5"})"), "config.json", text).ok());
  EXPECT_FALSE(apply_text_encoder_config(json::parse(R"([1])"), "config.json", text).ok());
}

TEST(HubConfig, ReadsTextEncoderAndVae) {
  TextEncoderSpec text;
  const auto config = json::parse(
      R"({"model_type": "umt5", "vocab_size": 512, "d_model": 128, "d_kv": 32, "d_ff": 256, "num_heads": 4, "num_layers": 3,
          "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-5,
          "feed_forward_proj": "gated-gelu", "dropout_rate": 0.1})");
  ASSERT_TRUE(apply_text_encoder_config(config, "config.json", text).ok());
  EXPECT_EQ(text, (TextEncoderSpec{512, 128, 128, 256, 4, 3, 1e-5}));
  WanVaeSpec vae;
  ASSERT_TRUE(apply_wan_vae_config(json::parse(R"({"base_dim": 24, "z_dim": 16, "dim_mult": [1, 2, 4, 4],
      "num_res_blocks": 2, "attn_scales": [], "temperal_downsample": [false, true, true]})"),
                                   "config.json", vae)
                  .ok());
  EXPECT_EQ(vae.base_dim, 24);
}

}  // namespace
}  // namespace sdv2
