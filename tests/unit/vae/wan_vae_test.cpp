// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/wan_vae.h"

#include <gmock/gmock.h>

#include "unit/vae/chains.h"
#include "vae/latent_scale.h"

namespace sdv2::testing {
namespace {

using ::testing::HasSubstr;

const WanVaeConfig kTiny{.base_dim = 4};

LayerChain encoder_of(const WanVaeConfig& config) {
  return with_weights(wan_encoder(config, LatentScale::kRaw));
}
LayerChain decoder_of(const WanVaeConfig& config) { return with_weights(wan_decoder(config)); }

// All tensors of a file, as encoder and decoder list them.
ListedSource full_file(const WanVaeConfig& config) {
  ListedSource file;
  LayerChain encoder = wan_encoder(config, LatentScale::kRaw), decoder = wan_decoder(config);
  file.add(params_of(encoder));
  file.add(params_of(decoder));
  return file;
}

TEST(WanVae, HasTheParametersOfThePublishedFiles) {
  LayerChain encoder = wan_encoder({}, LatentScale::kRaw), decoder = wan_decoder({});
  const ParamList of_encoder = params_of(encoder), of_decoder = params_of(decoder);
  EXPECT_EQ(of_encoder.size() + of_decoder.size(), 194u);
  EXPECT_EQ(count_elements(of_encoder) + count_elements(of_decoder), 126'892'531);

  const WanVaeConfig light{.base_dim = 24};
  LayerChain light_encoder = wan_encoder(light, LatentScale::kRaw), light_decoder = wan_decoder(light);
  EXPECT_EQ(count_elements(params_of(light_encoder)) + count_elements(params_of(light_decoder)), 8'035'003);
  EXPECT_EQ(params_of(light_encoder).size() + params_of(light_decoder).size(), 194u);
}

TEST(WanVae, StreamedEncodingEqualsTheWholeClip) {
  const LayerChain encoder = encoder_of(kTiny);
  const at::Tensor pixels = uniform("pixels", {17, 3, 16, 24});
  const at::Tensor whole = run(encoder, pixels, {17});
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({5, 16, 2, 3}));
  EXPECT_LT(max_difference(run(encoder, pixels, {1, 4, 4, 4, 4}), whole), kSame);
  EXPECT_LT(max_difference(run(encoder, pixels, {5, 4, 8}), whole), kSame);
}

TEST(WanVae, StreamedDecodingEqualsTheWholeClip) {
  const LayerChain decoder = decoder_of(kTiny);
  const at::Tensor latents = uniform("latents", {5, 16, 2, 3});
  const at::Tensor whole = run(decoder, latents, {5});
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({17, 3, 16, 24}));
  EXPECT_LT(max_difference(run(decoder, latents, {1, 1, 1, 1, 1}), whole), kSame);
  EXPECT_LT(max_difference(run(decoder, latents, {2, 1, 2}), whole), kSame);
}

TEST(WanVae, WorksAtOddLatentSizes) {
  const LayerChain encoder = encoder_of(kTiny), decoder = decoder_of(kTiny);
  const at::Tensor pixels = uniform("pixels", {5, 3, 24, 56});
  const at::Tensor latents = run(encoder, pixels, {5});
  EXPECT_EQ(latents.sizes(), at::IntArrayRef({2, 16, 3, 7}));
  EXPECT_LT(max_difference(run(encoder, pixels, {1, 4}), latents), kSame);
  EXPECT_EQ(run(decoder, latents, {2}).sizes(), pixels.sizes());
}

TEST(WanVae, FollowsOtherConfigurations) {
  const WanVaeConfig config{
      .base_dim = 4, .dim_mult = {1, 2, 2}, .num_res_blocks = 1, .temporal_downsample = {true, false}};
  const at::Tensor pixels = uniform("pixels", {7, 3, 8, 12});
  const LayerChain encoder = encoder_of(config);
  const at::Tensor latents = run(encoder, pixels, {7});
  EXPECT_EQ(latents.sizes(), at::IntArrayRef({4, 16, 2, 3}));
  EXPECT_LT(max_difference(run(encoder, pixels, {1, 2, 4}), latents), kSame);
  EXPECT_EQ(run(decoder_of(config), latents, {1, 3}).sizes(), pixels.sizes());
}

TEST(WanVae, FirstLatentDoesNotEnterTheTimeUpsamplingOfTheNext) {
  // Behind the last time upsampling the frames still meet in the
  // causal convolutions, so look at that layer alone.
  WanUpsample layer(2, /*temporal=*/true);
  FormulaSource source(5);
  ASSERT_TRUE(load_params(params_of(layer), source, at::kDouble, at::kCPU).ok());
  const at::Tensor x = uniform("features", {2, 2, 3, 3});
  LayerState state, other;
  EXPECT_EQ(layer.forward(x.narrow(0, 0, 1), state).size(0), 1);
  layer.forward(x.narrow(0, 0, 1) + 1, other);
  const at::Tensor second = layer.forward(x.narrow(0, 1, 1), state);
  EXPECT_EQ(second.sizes(), at::IntArrayRef({2, 1, 6, 6}));
  EXPECT_TRUE(at::equal(layer.forward(x.narrow(0, 1, 1), other), second));
}

TEST(WanVae, RefusesFrameCountsThatDoNotFillLatents) {
  const LayerChain encoder = encoder_of(kTiny);
  const at::Tensor pixels = uniform("pixels", {6, 3, 16, 16});
  EXPECT_THROW(run(encoder, pixels.narrow(0, 0, 4), {4}), c10::Error);  // first call: 1 + 4k
  EXPECT_THROW(run(encoder, pixels, {1, 5}), c10::Error);               // later: 4k
  EXPECT_THROW(run(encoder, pixels.narrow(0, 0, 3), {1, 2}), c10::Error);
}

TEST(WanVae, EncoderNormalisesWhenAsked) {
  const at::Tensor pixels = uniform("pixels", {5, 3, 16, 16});
  const at::Tensor raw = run(encoder_of(kTiny), pixels, {5});
  const at::Tensor normalised = run(with_weights(wan_encoder(kTiny, LatentScale::kNormalised)), pixels, {5});
  EXPECT_TRUE(at::equal(normalised, normalise_latent(raw)));
  EXPECT_LT(max_difference(denormalise_latent(normalised), raw), kSame);
  EXPECT_NEAR(normalise_latent(at::zeros({1, 16, 1, 1}, at::kDouble))[0][7].item<double>(), -1.5508 / 2.0743,
              1e-12);
}

TEST(WanVae, ScaleIsRoundedToTheTypeOfTheLatents) {
  // Channel 11: std 1.5579 -> 1.5546875, 1/std -> 0.64453125, mean -0.3632 ->
  // -0.36328125; 1/0.64453125 -> 1.5546875. Channel 5 tells the roundings apart:
  // with std and mean unrounded, or 1/std rounded once, it would be 2.734375.
  const at::Tensor z = denormalise_latent(at::ones({1, 16, 1, 1}, at::kBFloat16));
  EXPECT_EQ(z.scalar_type(), at::kBFloat16);
  EXPECT_EQ(z[0][11].item<float>(), 1.1875f);
  EXPECT_EQ(z[0][5].item<float>(), 2.75f);
}

TEST(WanVae, LoadsTheEncoderAlone) {
  ListedSource file = full_file(kTiny);
  ASSERT_TRUE(check_wan_vae(kTiny, file).ok());
  LayerChain encoder = wan_encoder(kTiny, LatentScale::kRaw);
  const ParamList params = params_of(encoder);
  ASSERT_TRUE(load_params(params, file, at::kDouble, at::kCPU).ok());
  EXPECT_EQ(file.read_keys.size(), params.size());
  for (const std::string& key : file.read_keys)
    EXPECT_TRUE(key.starts_with("encoder.") || key.starts_with("conv1."));
  const at::Tensor pixels = uniform("pixels", {1, 3, 16, 16});
  EXPECT_TRUE(at::equal(run(encoder, pixels, {1}), run(encoder_of(kTiny), pixels, {1})));
}

TEST(WanVae, CheckIsAgainstTheWholeFile) {
  ListedSource file = full_file(kTiny);
  std::erase_if(file.infos,
                [](const TensorInfo& info) { return info.key == "decoder.upsamples.7.time_conv.bias"; });
  file.infos.push_back({"decoder.extra", DType::kF32, {1}});
  const auto checked = check_wan_vae(kTiny, file);
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, HasSubstr("decoder.upsamples.7.time_conv.bias"));
  EXPECT_THAT(checked.error().message, HasSubstr("decoder.extra"));
}

TEST(WanVae, ReadsTheBaseWidthFromTheWeights) {
  const auto config = wan_vae_config_of(full_file({.base_dim = 24}));
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->base_dim, 24);
  EXPECT_EQ(wan_vae_config_of(FormulaSource(1))->base_dim, 96);
  EXPECT_EQ(wan_vae_config_of(ListedSource{}).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace sdv2::testing
