// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/describe_model.h"

#include <gmock/gmock.h>

#include "unit/base/temp_dir.h"
#include "unit/model/small_model.h"

namespace sdv2 {
namespace {

using test::small_model;
using test::SmallModelWriter;
using test::TempDir;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string error_of(const std::filesystem::path& folder) {
  const auto model = describe_model(folder.string());
  if (!model.ok()) return model.error().message;
  const auto sound = check_networks(*model);
  return sound.ok() ? "accepted" : sound.error().message;
}

TEST(DescribeModel, ReadsSizesOfStreamDiffusionV2) {
  const TempDir dir;
  SmallModelWriter(dir.path()).stream_diffusion_v2();
  const auto model = describe_model(dir.path().string());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->origin, ModelOrigin::kStreamDiffusionV2);
  EXPECT_EQ(model->name, "wan_causal_dmd_v2v");
  EXPECT_EQ(model->dit.spec, small_model().dit.spec);
  EXPECT_EQ(model->wan_vae->spec, small_model().wan_vae->spec);
  EXPECT_EQ(model->taehv->spec, small_model().taehv->spec);
  EXPECT_EQ(model->text_encoder->spec, small_model().text_encoder->spec);
  EXPECT_EQ(model->stream, StreamDefaults());
  EXPECT_THAT(model->notes, IsEmpty());
  const auto sound = check_networks(*model);
  EXPECT_TRUE(sound.ok()) << sound.error().message;
}

TEST(DescribeModel, ReadsSizesOfTheReleases) {
  for (const auto write : {&SmallModelWriter::wan, &SmallModelWriter::diffusers}) {
    const TempDir dir;
    (SmallModelWriter(dir.path()).*write)();
    const auto model = describe_model(dir.path().string());
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model->dit.spec, small_model().dit.spec);
    EXPECT_EQ(model->wan_vae->spec, small_model().wan_vae->spec);
    EXPECT_EQ(model->text_encoder->spec, small_model().text_encoder->spec);
    EXPECT_TRUE(model->stream.normalise_encode);
    EXPECT_THAT(model->notes, Not(IsEmpty()));  // not a causal checkpoint
    const auto sound = check_networks(*model);
    EXPECT_TRUE(sound.ok()) << sound.error().message;
  }
}

TEST(DescribeModel, ConfigOverridesAndFitsItsTransformer) {
  const TempDir dir;
  const SmallModelWriter writer(dir.path());
  writer.stream_diffusion_v2();
  writer.text("wan_models/Wan2.1-T2V-14B/config.json", R"({"dim": 5120, "num_heads": 40, "text_len": 8})");
  writer.text("wan_models/Wan2.1-T2V-14B/Wan2.1_VAE.pth", "");
  writer.text("wan_models/Wan2.1-T2V-1.3B/config.json",
              R"({"dim": 128, "num_heads": 1, "text_len": 24, "eps": 1e-5})");
  const auto model = describe_model(dir.path().string());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->dit.spec.text_len, 24);
  EXPECT_EQ(model->dit.spec.eps, 1e-5);
}

TEST(DescribeModel, ListsEveryWrongTensorOfEveryNetwork) {
  const TempDir dir;
  ModelDescription other = small_model();
  other.dit.spec.num_layers = 2;
  SmallModelWriter(dir.path(), other).wan();  // its config.json tells of three layers
  const std::string error = error_of(dir.path());
  EXPECT_THAT(error, HasSubstr("missing (27)"));
  EXPECT_THAT(error, HasSubstr("blocks.2.ffn.0.weight [96,128]"));
}

TEST(DescribeModel, TellsAFileInTheWrongPlace) {
  const TempDir dir;
  const SmallModelWriter writer(dir.path());
  writer.wan();
  writer.torch_checkpoint("Wan2.1_VAE.pth", NetworkKind::kTaehv);
  EXPECT_THAT(error_of(dir.path()), HasSubstr("Wan2.1_VAE.pth: holds the weights of a TAEHV autoencoder"));
}

TEST(DescribeModel, EmbeddingMayBeStoredUnderItsOtherName) {
  // Both names, or only the alias: the same network.
  for (const bool both : {true, false}) {
    const TempDir dir;
    const SmallModelWriter writer(dir.path());
    writer.diffusers();
    const ParamList params = parameters_of(small_model(), NetworkKind::kTextEncoder);
    std::vector<TensorInfo> infos;
    std::vector<at::Tensor> values;
    for (const auto& param : params) {
      const std::string name = *from_original(NetworkKind::kTextEncoder, KeyLayout::kRenamed, param.key);
      const bool embedding = name == "shared.weight";
      if (!embedding || both) {
        infos.push_back({name, DType::kF32, param.shape});
        values.push_back(test::weight(param));
      }
      if (!embedding) continue;
      infos.push_back({std::string(kEmbeddingAlias), DType::kF32, param.shape});
      values.push_back(test::weight(param));
    }
    auto file = SafetensorsWriter::create(dir.path() / "text_encoder/model.safetensors", infos);
    ASSERT_TRUE(file.ok());
    for (const auto& value : values) ASSERT_TRUE((*file)->append(value).ok());
    ASSERT_TRUE((*file)->finish().ok());
    std::filesystem::remove(dir.path() / "text_encoder/model.safetensors.index.json");
    EXPECT_EQ(error_of(dir.path()), "accepted");

    const auto model = describe_model(dir.path().string());
    const auto network = NetworkFile::open(*model, NetworkKind::kTextEncoder);
    ASSERT_TRUE(network.ok());
    const auto table = network->weights().read("token_embedding.weight", {64, 32}, at::kFloat, at::kCPU);
    ASSERT_TRUE(table.ok()) << table.error().message;
    EXPECT_TRUE(at::equal(*table, test::weight(params[0])));
  }
}

TEST(NetworkParameters, OfRandomModelsHaveTheReleasesCounts) {
  const std::pair<const char*, int64_t> cases[] = {{"random:1.3b", 1418996800}, {"random:14b", 14288491584}};
  for (const auto& [name, count] : cases) {
    const auto model = describe_model(name);
    ASSERT_TRUE(model.ok());
    int64_t parameters = 0;
    for (const auto& param : parameters_of(*model, NetworkKind::kDit))
      parameters += c10::multiply_integers(param.shape);
    EXPECT_EQ(parameters, count);
    EXPECT_EQ(parameters_of(*model, NetworkKind::kWanVae).size(), 194u);
    EXPECT_EQ(parameters_of(*model, NetworkKind::kTaehv).size(), 128u);
  }
}

}  // namespace
}  // namespace sdv2
