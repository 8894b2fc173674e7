// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/taehv.h"

#include "unit/vae/chains.h"
#include "vae/taehv_layers.h"
#include "vae/taehv_source.h"

namespace sdv2::testing {
namespace {

const TaehvConfig kSmall{8, {16, 12, 8, 4}};

ListedSource full_file(const TaehvConfig& config) {
  ListedSource file;
  LayerChain encoder = taehv_encoder(config), decoder = taehv_decoder(config);
  file.add(params_of(encoder));
  file.add(params_of(decoder));
  return file;
}

TEST(Taehv, HasTheParametersOfThePublishedFile) {
  LayerChain encoder = taehv_encoder({}), decoder = taehv_decoder({});
  EXPECT_EQ(params_of(encoder).size(), 64u);
  EXPECT_EQ(params_of(decoder).size(), 64u);
  EXPECT_EQ(count_elements(params_of(encoder)) + count_elements(params_of(decoder)), 11'315'539);
}

TEST(Taehv, StreamedEncodingEqualsTheWholeClip) {
  const LayerChain encoder = with_weights(taehv_encoder(kSmall));
  const at::Tensor pixels = uniform("pixels", {13, 3, 24, 40});
  const at::Tensor whole = run(encoder, pixels, {13});
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({4, 16, 3, 5}));
  EXPECT_LT(max_difference(run(encoder, pixels, {1, 4, 4, 4}), whole), kSame);
  EXPECT_LT(max_difference(run(encoder, pixels, {5, 8}), whole), kSame);
}

TEST(Taehv, FirstFrameOfTheStreamStandsForFour) {
  const LayerChain encoder = with_weights(taehv_encoder(kSmall));
  const at::Tensor pixels = uniform("pixels", {9, 3, 16, 16});
  const at::Tensor first = pixels.narrow(0, 0, 1);
  const at::Tensor repeated = at::cat({first, first, first, pixels});
  EXPECT_LT(max_difference(run(encoder, pixels, {5, 4}), run(encoder, repeated, {12})), kSame);
}

TEST(Taehv, EncoderTakesWholeGroupsOnly) {
  const LayerChain encoder = with_weights(taehv_encoder(kSmall));
  const at::Tensor pixels = uniform("pixels", {9, 3, 8, 8});
  EXPECT_EQ(run(encoder, pixels.narrow(0, 0, 8), {4, 4}).size(0), 2);
  EXPECT_THROW(run(encoder, pixels, {4, 5}), c10::Error);
  EXPECT_THROW(run(encoder, pixels.narrow(0, 0, 6), {6}), c10::Error);
}

TEST(Taehv, StreamedDecodingEqualsTheWholeClip) {
  const LayerChain decoder = with_weights(taehv_decoder(kSmall));
  const at::Tensor latents = uniform("latents", {4, 16, 3, 5}) * 4;
  const at::Tensor whole = run(decoder, latents, {4});
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({13, 3, 24, 40}));
  EXPECT_LT(max_difference(run(decoder, latents, {1, 1, 1, 1}), whole), kSame);
  EXPECT_LT(max_difference(run(decoder, latents, {2, 2}), whole), kSame);
}

TEST(Taehv, GrowingBeforeUpsamplingEqualsGrowingAfterIt) {
  TaehvTimeGrow grow(6, 2);
  FormulaSource source(5);
  ASSERT_TRUE(load_params(params_of(grow), source, at::kFloat, at::kCPU).ok());
  const at::Tensor x = uniform("features", {3, 6, 4, 5}).to(at::kFloat);
  LayerState state;
  const at::Tensor before = upsample_nearest(grow.forward(x, state));
  const at::Tensor after = grow.forward(upsample_nearest(x), state);
  EXPECT_EQ(before.sizes(), at::IntArrayRef({6, 6, 8, 10}));
  EXPECT_LT(max_difference(before, after), 1e-6);
}

TEST(Taehv, FoldedUpsamplingEqualsUpsamplingAndConvolution) {
  for (const Activation activation : {Activation::kNone, Activation::kRelu}) {
    TaehvUpsample layer(6, 5, activation);
    FormulaSource source(5);
    ASSERT_TRUE(load_params(params_of(layer), source, at::kDouble, at::kCPU).ok());
    LayerState state;
    for (const auto& shape : {std::vector<int64_t>{2, 6, 4, 7}, {1, 6, 1, 1}}) {
      const at::Tensor x = uniform("features", shape).contiguous(at::MemoryFormat::ChannelsLast);
      TaehvUpsample folded = layer;
      folded.prepare();
      const at::Tensor y = folded.forward(x, state);
      EXPECT_LT(max_difference(y, layer.forward(x, state)), kSame);
      EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST(Taehv, PoolAndGrowKeepTimeOrder) {
  TaehvTimePool pool(1, 2);
  TaehvTimeGrow grow(1, 2);
  const ParamList pool_params = params_of(pool), grow_params = params_of(grow);
  *pool_params[0].slot = at::tensor({1.0, 10.0}, at::kDouble).view({1, 2, 1, 1});
  *grow_params[0].slot = at::tensor({1.0, 10.0}, at::kDouble).view({2, 1, 1, 1});
  LayerState state;
  const at::Tensor x = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kDouble).view({4, 1, 1, 1});
  EXPECT_TRUE(at::equal(pool.forward(x, state).flatten(), at::tensor({21.0, 43.0}, at::kDouble)));
  EXPECT_TRUE(at::equal(grow.forward(x.narrow(0, 0, 2), state).flatten(),
                        at::tensor({1.0, 10.0, 2.0, 20.0}, at::kDouble)));
}

// Convolutions of a CPU reorder everything else, at a third of their time.
TEST(Taehv, ActivationsStayChannelsLast) {
  const auto expect_kept = [](LayerChain chain, const at::Tensor& first, const at::Tensor& later) {
    for (size_t i = 0; i < chain.layer_count(); ++i) chain.prepare_layer(i);
    ChainState state = chain.new_state();
    for (const at::Tensor& input : {first, later}) {
      at::Tensor x = input;
      for (size_t i = 0; i < chain.layer_count(); ++i) {
        x = chain.forward_layer(i, x, state.layer(i));
        EXPECT_TRUE(x.is_contiguous(at::MemoryFormat::ChannelsLast)) << "layer " << i << ", " << x.sizes();
      }
    }
  };
  const at::Tensor pixels = uniform("pixels", {9, 3, 24, 40}).to(at::kFloat);
  expect_kept(with_weights(taehv_encoder(kSmall), at::kFloat), pixels.narrow(0, 0, 5),
              pixels.narrow(0, 5, 4));
  const at::Tensor latents = uniform("latents", {2, 16, 3, 5}).to(at::kFloat);
  expect_kept(with_weights(taehv_decoder(kSmall), at::kFloat), latents.narrow(0, 0, 1),
              latents.narrow(0, 1, 1));
}

TEST(Taehv, ReadsItsWidthsFromTheWeights) {
  const auto config = taehv_config_of(full_file(kSmall));
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->encoder_width, kSmall.encoder_width);
  EXPECT_EQ(config->decoder_widths, kSmall.decoder_widths);
  EXPECT_EQ(taehv_config_of(FormulaSource(1))->encoder_width, 64);
  EXPECT_EQ(taehv_config_of(ListedSource{}).error().code, ErrorCode::kCorrupt);
}

TEST(Taehv, KeepsTheLastRowsOfALargerTimeGrow) {
  ListedSource file = full_file(kSmall);
  for (TensorInfo& info : file.infos)
    if (info.key == "decoder.7.conv.weight") info.shape[0] *= 2;
  EXPECT_FALSE(check_taehv(kSmall, file).ok());

  TaehvSource source(file, kSmall);
  ASSERT_TRUE(check_taehv(kSmall, source).ok());
  LayerChain decoder = taehv_decoder(kSmall);
  const ParamList params = params_of(decoder);
  ASSERT_TRUE(load_params(params, source, at::kDouble, at::kCPU).ok());
  for (const Param& param : params) {
    at::Tensor stored = *FormulaSource(5).read(param.key, param.shape, at::kDouble, at::kCPU);
    if (param.key == "decoder.7.conv.weight")
      stored = file.read(param.key, {32, 16, 1, 1}, at::kDouble, at::kCPU)->narrow(0, 16, 16);
    EXPECT_TRUE(at::equal(*param.slot, stored)) << param.key;
  }
}

TEST(Taehv, SmallerTimeGrowIsStillAnError) {
  ListedSource file = full_file(kSmall);
  for (TensorInfo& info : file.infos)
    if (info.key == "decoder.13.conv.weight") info.shape[0] /= 2;
  EXPECT_FALSE(check_taehv(kSmall, TaehvSource(file, kSmall)).ok());
}

}  // namespace
}  // namespace sdv2::testing
