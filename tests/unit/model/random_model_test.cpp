// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/random_model.h"

#include <gmock/gmock.h>

namespace sdv2 {
namespace {

using testing::HasSubstr;

TEST(RandomModel, PresetsHaveTheReleasesSizes) {
  const auto small = parse_random_model("random:1.3b");
  ASSERT_TRUE(small.ok()) << small.error().message;
  EXPECT_EQ(small->dit.spec, DitConfig::wan_1_3b());
  EXPECT_EQ(small->wan_vae->spec.base_dim, 96);
  EXPECT_EQ(small->origin, ModelOrigin::kRandom);
  EXPECT_FALSE(small->text_encoder);
  EXPECT_EQ(small->stream, StreamDefaults());

  const auto large = parse_random_model("random:14b");
  ASSERT_TRUE(large.ok()) << large.error().message;
  EXPECT_EQ(large->dit.spec.dim, 5120);
  EXPECT_EQ(large->dit.spec.num_layers, 40);
  EXPECT_EQ(large->stream.num_steps, 1);
}

TEST(RandomModel, KeysChangeSizes) {
  const auto model = parse_random_model("random:1.3b,layers=3,dim=384,vae_dim=24,autoencoder=taehv,seed=7");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->dit.spec.num_layers, 3);
  EXPECT_EQ(model->dit.spec.num_heads, 3);
  EXPECT_EQ(model->dit.spec.ffn_dim, 8960);
  EXPECT_EQ(model->wan_vae->spec.base_dim, 24);
  EXPECT_EQ(model->encoder, Autoencoder::kTaehv);
  EXPECT_EQ(model->decoder, Autoencoder::kTaehv);
  EXPECT_EQ(model->seed, 7u);
}

TEST(RandomModel, WithoutPresetIsTiny) {
  const auto model = parse_random_model("random:dim=512,text_dim=48,text_len=16,ffn=96");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->dit.spec.dim, 512);
  EXPECT_EQ(model->dit.spec.num_layers, 2);
  EXPECT_EQ(model->dit.spec.text_dim, 48);
  EXPECT_EQ(model->dit.spec.text_len, 16);
  EXPECT_EQ(model->dit.spec.ffn_dim, 96);
  EXPECT_EQ(model->wan_vae->spec.base_dim, 8);
}

TEST(RandomModel, ErrorsSayWhatToWrite) {
  const std::pair<const char*, const char*> cases[] = {
      {"random:", "preset ''"},
      {"random:2b", "preset '2b'"},
      {"random:tiny,", "'' is not key=value"},
      {"random:tiny,1.3b", "'1.3b' is not key=value"},
      {"random:tiny,depth=2", "no key 'depth'"},
      {"random:tiny,layers=", "layers must be a whole number"},
      {"random:tiny,layers=2x", "layers must be a whole number"},
      {"random:tiny,layers=-2", "layers must be a whole number"},
      {"random:tiny,layers=99999999999999999999", "layers must be a whole number"},
      {"random:tiny,layers=0", "dit.num_layers is 0"},
      {"random:tiny,dim=200", "dit.dim is 200"},
      {"random:tiny,dim=0", "dit.dim is 0"},
      {"random:tiny,autoencoder=sd", "wan_vae or taehv"},
      {"random:tiny,seed=x", "seed must be a whole number"},
  };
  for (const auto& [text, what] : cases) {
    const auto model = parse_random_model(text);
    ASSERT_FALSE(model.ok()) << text;
    EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(model.error().message, HasSubstr(what));
    EXPECT_THAT(model.error().message, HasSubstr("random:1.3b"));
  }
}

}  // namespace
}  // namespace sdv2
