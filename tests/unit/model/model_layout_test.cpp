// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model_layout.h"

#include <gmock/gmock.h>

#include "unit/base/temp_dir.h"

namespace sdv2 {
namespace {

using test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void write_base(const TempDir& folder, const std::filesystem::path& at) {
  for (const char* name : {"config.json", "Wan2.1_VAE.pth", "models_t5_umt5-xxl-enc-bf16.pth",
                           "google/umt5-xxl/tokenizer.json", "google/umt5-xxl/spiece.model"})
    folder.write(at / name);
}

TEST(ModelLayout, FindsStreamDiffusionV2) {
  const TempDir folder;
  write_base(folder, "wan_models/Wan2.1-T2V-1.3B");
  const auto checkpoint = folder.write("ckpts/wan_causal_dmd_v2v/model.pt");
  const auto taehv = folder.write("ckpts/taew2_1.pth");
  const auto base = folder.path() / "wan_models/Wan2.1-T2V-1.3B";
  // The root and the checkpoint's own folder both name this model.
  for (const auto& named : {folder.path(), folder.path() / "ckpts/wan_causal_dmd_v2v"}) {
    const auto files = find_model_files(named);
    ASSERT_TRUE(files.ok()) << files.error().message;
    EXPECT_EQ(files->origin, ModelOrigin::kStreamDiffusionV2);
    EXPECT_EQ(files->dit, checkpoint);
    EXPECT_EQ(files->wan_vae, base / "Wan2.1_VAE.pth");
    EXPECT_EQ(files->text_encoder, base / "models_t5_umt5-xxl-enc-bf16.pth");
    EXPECT_EQ(files->tokenizer, base / "google/umt5-xxl/tokenizer.json");
    EXPECT_THAT(files->dit_configs, ElementsAre(base / "config.json"));
    EXPECT_EQ(files->taehv, taehv);
    EXPECT_THAT(files->missing, IsEmpty());
  }
}

TEST(ModelLayout, FindsCheckpointInsideTheBaseFolder) {
  const TempDir folder;
  write_base(folder, "");
  folder.write("diffusion_pytorch_model.safetensors");
  folder.write("model.pt");
  const auto files = find_model_files(folder.path());
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->origin, ModelOrigin::kStreamDiffusionV2);
  EXPECT_EQ(files->dit, folder.path() / "model.pt");
  EXPECT_THAT(files->missing, IsEmpty());
}

TEST(ModelLayout, AsksWhichOfSeveralCheckpoints) {
  const TempDir folder;
  folder.write("ckpts/a/model.pt");
  folder.write("ckpts/b/model.pt");
  const auto files = find_model_files(folder.path());
  ASSERT_FALSE(files.ok());
  EXPECT_EQ(files.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(files.error().message, HasSubstr("ckpts/a"));
  EXPECT_THAT(files.error().message, HasSubstr("ckpts/b"));
}

TEST(ModelLayout, FindsOriginalWan) {
  const TempDir folder;
  write_base(folder, "");
  folder.write("diffusion_pytorch_model-00001-of-00006.safetensors");
  folder.write("diffusion_pytorch_model.safetensors.index.json");
  const auto files = find_model_files(folder.path());
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->origin, ModelOrigin::kWan);
  EXPECT_EQ(files->dit, folder.path() / "diffusion_pytorch_model.safetensors.index.json");
  EXPECT_THAT(files->missing, IsEmpty());
  EXPECT_TRUE(check_complete(*files).ok());
}

TEST(ModelLayout, FindsDiffusers) {
  const TempDir folder;
  for (const char* name : {"model_index.json", "transformer/config.json",
                           "transformer/diffusion_pytorch_model.safetensors.index.json", "vae/config.json",
                           "vae/diffusion_pytorch_model.safetensors", "text_encoder/config.json",
                           "text_encoder/model.safetensors.index.json", "tokenizer/spiece.model"})
    folder.write(name);
  const auto files = find_model_files(folder.path());
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->origin, ModelOrigin::kDiffusers);
  EXPECT_EQ(files->text_encoder_config, folder.path() / "text_encoder/config.json");
  EXPECT_EQ(files->wan_vae_config, folder.path() / "vae/config.json");
  EXPECT_EQ(files->tokenizer, folder.path() / "tokenizer/spiece.model");
  EXPECT_THAT(files->missing, IsEmpty());
}

TEST(ModelLayout, TellsEverythingThatIsMissingAndWhereToGetIt) {
  const TempDir folder;
  folder.write("ckpts/wan_causal_dmd_v2v/model.pt");
  folder.write("wan_models/Wan2.1-T2V-1.3B/Wan2.1_VAE.pth");
  const auto files = find_model_files(folder.path());
  ASSERT_TRUE(files.ok());
  const auto complete = check_complete(*files);
  ASSERT_FALSE(complete.ok());
  EXPECT_THAT(complete.error().message, HasSubstr("models_t5_umt5-xxl-enc-bf16.pth"));
  EXPECT_THAT(complete.error().message, HasSubstr("google/umt5-xxl/tokenizer.json"));
  EXPECT_THAT(complete.error().message, HasSubstr("Wan-AI/Wan2.1-T2V-1.3B"));
  EXPECT_EQ(files->missing.size(), 2u);
}

TEST(ModelLayout, AnEmptyFolderIsToldWhatToHold) {
  const TempDir folder;
  const auto files = find_model_files(folder.path());
  ASSERT_FALSE(files.ok());
  EXPECT_EQ(files.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(files.error().message, HasSubstr("jerryfeng/StreamDiffusionV2"));
  EXPECT_THAT(find_model_files(folder.path() / "none").error().message, HasSubstr("no such folder"));
  EXPECT_FALSE(find_model_files(folder.write("file")).ok());
}

}  // namespace
}  // namespace sdv2
