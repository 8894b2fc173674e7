// SPDX-License-Identifier: LGPL-2.1-or-later
// The renaming tables against the manifests of the published files: every name, both ways.
#include "weights/key_map.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace sdv2 {
namespace {

struct Manifest {
  const char* file;
  NetworkKind kind;
};

constexpr Manifest kManifests[] = {
    {"dit_1.3B.json", NetworkKind::kDit},  {"dit_14B.json", NetworkKind::kDit},
    {"vae.json", NetworkKind::kWanVae},    {"vae_light24.json", NetworkKind::kWanVae},
    {"taew2_1.json", NetworkKind::kTaehv}, {"umt5_xxl_encoder.json", NetworkKind::kTextEncoder},
};

nlohmann::json read_manifest(const Manifest& manifest) {
  std::ifstream file(std::filesystem::path(SDV2_TEST_DATA) / "manifests" / manifest.file);
  EXPECT_TRUE(file) << manifest.file;
  return nlohmann::json::parse(file);
}

class KeyMapOfManifest : public testing::TestWithParam<Manifest> {};

TEST_P(KeyMapOfManifest, KnowsEveryOriginalKey) {
  const auto manifest = read_manifest(GetParam());
  for (const auto& item : manifest.at("keys").items())
    EXPECT_EQ(to_original(GetParam().kind, KeyLayout::kOriginal, item.key()), item.key());
}

TEST_P(KeyMapOfManifest, RenamesEveryKeyBothWays) {
  const auto manifest = read_manifest(GetParam());
  if (!manifest.contains("renamed_layout")) GTEST_SKIP() << "published in original names only";
  for (const auto& [original, renamed] : manifest.at("renamed_layout").items()) {
    EXPECT_EQ(from_original(GetParam().kind, KeyLayout::kRenamed, original), renamed.get<std::string>());
    EXPECT_EQ(to_original(GetParam().kind, KeyLayout::kRenamed, renamed.get<std::string>()), original);
  }
}

TEST_P(KeyMapOfManifest, IsDetectedByItsKeys) {
  const auto manifest = read_manifest(GetParam());
  std::vector<std::string> names;
  const auto detect = [&] {
    const std::vector<std::string_view> keys(names.begin(), names.end());
    return detect_keys(keys);
  };
  for (const auto& item : manifest.at("keys").items()) names.push_back(item.key());
  ASSERT_TRUE(detect());
  EXPECT_EQ(detect()->kind, GetParam().kind);
  EXPECT_EQ(detect()->layout, KeyLayout::kOriginal);
  if (!manifest.contains("renamed_layout")) return;

  names.clear();
  for (const auto& item : manifest.at("renamed_layout").items()) names.push_back(item.value());
  ASSERT_TRUE(detect());
  EXPECT_EQ(detect()->kind, GetParam().kind);
  EXPECT_EQ(detect()->layout, KeyLayout::kRenamed);
  names.erase(names.begin() + 5, names.end());  // a few keys, as in the last shard of several
  ASSERT_TRUE(detect());
  EXPECT_EQ(detect()->kind, GetParam().kind);
}

INSTANTIATE_TEST_SUITE_P(Manifests, KeyMapOfManifest, testing::ValuesIn(kManifests), [](const auto& param) {
  std::string name = param.param.file;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !isalnum(c); }, '_');
  return name;
});

TEST(KeyMap, TakesAnyNumberOfLayers) {
  EXPECT_EQ(to_original(NetworkKind::kDit, KeyLayout::kRenamed, "blocks.117.attn2.to_out.0.bias"),
            "blocks.117.cross_attn.o.bias");
  EXPECT_EQ(to_original(NetworkKind::kTextEncoder, KeyLayout::kRenamed,
                        "encoder.block.31.layer.1.DenseReluDense.wi_0.weight"),
            "blocks.31.ffn.gate.0.weight");
}

TEST(KeyMap, RejectsForeignKeys) {
  for (const char* key : {"blocks.x.norm2.weight", "blocks..norm2.weight", "blocks.0.norm2x.weight",
                          "blocks.0", "xblocks.0.norm2.weight", "", ".weight", "blocks.-1.norm2.weight"}) {
    const auto renamed = to_original(NetworkKind::kDit, KeyLayout::kRenamed, key);
    EXPECT_EQ(renamed, std::nullopt) << key;
  }
  EXPECT_EQ(to_original(NetworkKind::kWanVae, KeyLayout::kRenamed,
                        "decoder.up_blocks.3.upsamplers.0.resample.1.bias"),
            std::nullopt);
  EXPECT_EQ(to_original(NetworkKind::kTaehv, KeyLayout::kRenamed, "encoder.0.weight"), std::nullopt);
}

TEST(KeyMap, DetectsNothingInForeignKeys) {
  const std::vector<std::string_view> clip = {"text_model.embeddings.token_embedding.weight", "logit_scale"};
  EXPECT_FALSE(detect_keys(clip));
  EXPECT_FALSE(detect_keys(std::vector<std::string_view>{}));
  // One key of a transformer among many others is not a transformer.
  const std::vector<std::string_view> mixed = {"patch_embedding.weight", "a.weight", "b.weight"};
  EXPECT_FALSE(detect_keys(mixed));
}

}  // namespace
}  // namespace sdv2
