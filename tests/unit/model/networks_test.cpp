// SPDX-License-Identifier: LGPL-2.1-or-later
// From a model's name to networks that run: the way that everything takes that needs a model.
#include "model/networks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "dit/causal_dit.h"
#include "model/describe_model.h"
#include "unit/base/temp_dir.h"
#include "unit/model/small_model.h"
#include "vae/latent_scale.h"

namespace sdv2 {
namespace {

using test::SmallModelWriter;
using test::TempDir;

// A chain with its weights, on the CPU in float32.
LayerChain loaded(LayerChain chain, const ModelDescription& model, NetworkKind kind) {
  const auto file = NetworkFile::open(model, kind);
  EXPECT_TRUE(file.ok()) << file.error().message;
  const auto status = load_params(params_of(chain), file->weights(), at::kFloat, at::kCPU);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return chain;
}

at::Tensor run(const LayerChain& chain, const at::Tensor& x) {
  ChainState state = chain.new_state();
  return chain.forward(x, state);
}

TEST(Networks, RandomModelsRunFromTheirNameAlone) {
  const auto model = describe_model("random:tiny,seed=3");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto file = NetworkFile::open(*model, NetworkKind::kDit);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->weights().name(), "random weights, seed 3");
  CausalDit dit(model->dit.spec);
  const auto status = dit.load(DitPart::all(dit.config()), file->weights(), at::kFloat, at::kCPU);
  ASSERT_TRUE(status.ok()) << status.error().message;

  const at::Tensor pixels = at::linspace(-1, 1, 5 * 3 * 16 * 16).view({5, 3, 16, 16});
  const at::Tensor latents = run(loaded(make_encoder(*model), *model, encoder_kind(*model)), pixels);
  EXPECT_EQ(latents.sizes(), at::IntArrayRef({2, 16, 2, 2}));
  const at::Tensor pictures = run(loaded(make_decoder(*model), *model, decoder_kind(*model)), latents);
  EXPECT_EQ(pictures.sizes(), pixels.sizes());
  EXPECT_TRUE(at::isfinite(pictures).all().item<bool>());
}

TEST(Networks, TheModelChoosesAutoencoderAndScale) {
  auto model = *describe_model("random:tiny");
  EXPECT_EQ(encoder_kind(model), NetworkKind::kWanVae);
  const at::Tensor pixels = at::linspace(-1, 1, 3 * 16 * 16).view({1, 3, 16, 16});
  const at::Tensor raw = run(loaded(make_encoder(model), model, NetworkKind::kWanVae), pixels);
  model.stream.normalise_encode = true;
  const at::Tensor normalised = run(loaded(make_encoder(model), model, NetworkKind::kWanVae), pixels);
  EXPECT_TRUE(at::equal(normalised, normalise_latent(raw)));

  model.encoder = Autoencoder::kTaehv;
  EXPECT_EQ(encoder_kind(model), NetworkKind::kTaehv);
  EXPECT_EQ(decoder_kind(model), NetworkKind::kWanVae);
  EXPECT_EQ(make_encoder(model).layer_count(), taehv_encoder({}).layer_count());
}

TEST(Networks, OfAFolderTakeItsWeights) {
  const TempDir dir;
  SmallModelWriter(dir.path()).stream_diffusion_v2();
  auto model = describe_model(dir.path().string());
  ASSERT_TRUE(model.ok()) << model.error().message;
  model->decoder = Autoencoder::kTaehv;
  for (const auto kind : {encoder_kind(*model), decoder_kind(*model)}) {
    LayerChain chain = kind == NetworkKind::kTaehv ? make_decoder(*model) : make_encoder(*model);
    ParamList params = params_of(chain);
    const auto file = NetworkFile::open(*model, kind);
    ASSERT_TRUE(file.ok()) << file.error().message;
    ASSERT_TRUE(load_params(params, file->weights(), at::kFloat, at::kCPU).ok());
    for (const auto& param : params) EXPECT_TRUE(at::equal(*param.slot, test::weight(param))) << param.key;
  }
  Umt5Encoder encoder(config_of(model->text_encoder->spec));
  const auto file = NetworkFile::open(*model, NetworkKind::kTextEncoder);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(load_params(params_of(encoder), file->weights(), at::kFloat, at::kCPU).ok());
  EXPECT_EQ(encoder.forward(at::tensor({3, 1}, at::kLong)).sizes(), at::IntArrayRef({2, 32}));
}

}  // namespace
}  // namespace sdv2
