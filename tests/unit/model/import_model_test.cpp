// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/import_model.h"

#include <gmock/gmock.h>

#include <fstream>

#include "model/describe_model.h"
#include "model/model_json.h"
#include "unit/base/temp_dir.h"
#include "unit/model/small_model.h"
#include "weights/safetensors_format.h"

namespace sdv2 {
namespace {

using test::small_model;
using test::SmallModelWriter;
using test::TempDir;
using testing::HasSubstr;

namespace fs = std::filesystem;

using Layout = void (SmallModelWriter::*)() const;

std::string error_of(const Result<void>& result) { return result.ok() ? "" : result.error().message; }

// Every tensor of an imported model against the formula, in the given type.
void expect_weights(const fs::path& folder, at::ScalarType type) {
  const auto model = describe_model(folder.string());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->origin, ModelOrigin::kModelJson);
  for (const NetworkKind kind : networks_of(*model)) {
    const auto network = NetworkFile::open(*model, kind);
    ASSERT_TRUE(network.ok()) << network.error().message;
    const DType stored = type == at::kFloat ? DType::kF32 : DType::kBF16;
    for (const auto& info : *network->weights().tensors()) EXPECT_EQ(info.dtype, stored) << info.key;
    for (const auto& param : parameters_of(*model, kind)) {
      const auto value = network->weights().read(param.key, param.shape, type, at::kCPU);
      ASSERT_TRUE(value.ok()) << value.error().message;
      EXPECT_TRUE(at::equal(*value, test::weight(param).to(type))) << param.key;
    }
  }
}

class ImportModel : public testing::TestWithParam<Layout> {
 protected:
  ImportModel() { (SmallModelWriter(source()).*GetParam())(); }
  fs::path source() const { return dir.path() / "source"; }
  fs::path destination() const { return dir.path() / "destination"; }

  TempDir dir;
};

TEST_P(ImportModel, KeepsEveryTensorAndSize) {
  const auto before = describe_model(source().string());
  ASSERT_TRUE(before.ok()) << before.error().message;
  ASSERT_EQ(error_of(import_model(source().string(), destination(), {.narrow = false})), "");
  expect_weights(destination(), at::kFloat);
  const auto after = describe_model(destination().string());
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->dit.spec, before->dit.spec);
  EXPECT_EQ(after->wan_vae->spec, before->wan_vae->spec);
  EXPECT_EQ(after->taehv.has_value(), before->taehv.has_value());
  EXPECT_EQ(after->text_encoder->spec, before->text_encoder->spec);
  EXPECT_EQ(after->stream, before->stream);
  EXPECT_EQ(after->name, before->name);
  EXPECT_EQ(after->tokenizer.filename(), before->tokenizer.filename());
}

TEST_P(ImportModel, RoundsToBf16InShards) {
  int64_t last = 0, total = 0;
  ImportOptions options;
  options.max_shard_bytes = (1 << 20) + 200'000;
  options.progress = [&](const char*, int64_t done, int64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  ASSERT_EQ(error_of(import_model(source().string(), destination(), options)), "");
  EXPECT_EQ(last, total);
  expect_weights(destination(), at::kBFloat16);
  EXPECT_TRUE(fs::exists(destination() / "dit.safetensors.index.json"));
  for (const auto& entry : fs::directory_iterator(destination())) {
    EXPECT_LE(entry.file_size(), static_cast<uintmax_t>(options.max_shard_bytes)) << entry.path();
    EXPECT_NE(entry.path().extension(), ".partial");
  }

  // The imported folder can be imported in turn, and replaced.
  EXPECT_THAT(error_of(import_model(destination().string(), destination(), {})), HasSubstr("--force"));
  ASSERT_EQ(error_of(import_model(destination().string(), destination(), {.replace = true})), "");
  expect_weights(destination(), at::kBFloat16);
  EXPECT_TRUE(fs::exists(destination() / "dit.safetensors"));
  EXPECT_FALSE(fs::exists(destination() / "dit.safetensors.index.json"));
  EXPECT_FALSE(fs::exists(dir.path() / "destination.replaced"));
}

std::string layout_name(const testing::TestParamInfo<Layout>& param) {
  constexpr const char* kNames[] = {"StreamDiffusionV2", "Wan", "Diffusers"};
  return kNames[param.index];
}

INSTANTIATE_TEST_SUITE_P(Layouts, ImportModel,
                         testing::Values(&SmallModelWriter::stream_diffusion_v2, &SmallModelWriter::wan,
                                         &SmallModelWriter::diffusers),
                         layout_name);

TEST(ImportModelErrors, LeaveTheDestinationAsItWas) {
  const TempDir dir;
  const auto source = dir.path() / "source", destination = dir.path() / "destination";
  const SmallModelWriter writer(source);
  writer.wan();
  const auto import = [&](ImportOptions options = {}) {
    return error_of(import_model(source.string(), destination, options));
  };

  dir.write("destination/photo.jpg", "x");
  EXPECT_THAT(import(), HasSubstr("exists"));
  EXPECT_THAT(import({.replace = true}), HasSubstr("holds no model.json"));
  EXPECT_TRUE(fs::exists(destination / "photo.jpg"));

  dir.write("destination/model.json", "old");
  fs::resize_file(source / "diffusion_pytorch_model-00002-of-00002.safetensors", 1000);
  EXPECT_THAT(import({.replace = true}), HasSubstr("00002-of-00002"));
  EXPECT_TRUE(fs::exists(destination / "model.json"));
  EXPECT_FALSE(fs::exists(dir.path() / "destination.partial"));

  writer.wan();
  dir.write("destination.partial/dit.safetensors");
  EXPECT_THAT(import(), HasSubstr("exists"));
  fs::remove_all(destination);
  EXPECT_THAT(import(), HasSubstr("cut off"));
  EXPECT_EQ(import({.replace = true}), "");
  EXPECT_FALSE(fs::exists(dir.path() / "destination.partial"));

  EXPECT_THAT(error_of(import_model("random:tiny", dir.path() / "r", {})), HasSubstr("random"));
}

// Peak of this process's memory since reset_peak().
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
int64_t status_kib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == field + ":") {
      int64_t value = 0;
      status >> value;
      return value;
    }
  return -1;
}

TEST(ImportModelMemory, StaysFarBelowALargeTensor) {
#ifdef SDV2_SANITIZE
  GTEST_SKIP() << "the sanitizer's own memory is larger";
#endif
  const TempDir dir;
  ModelDescription large = small_model();
  large.text_encoder->spec.vocab = 1 << 20;  // a table of [1048576, 128], 512 MiB in float32
  large.text_encoder->spec.dim = large.dit.spec.text_dim = 128;
  const SmallModelWriter writer(dir.path() / "source", large);
  for (const auto kind : {NetworkKind::kDit, NetworkKind::kWanVae})
    writer.safetensors(std::string(to_string(kind)) + ".safetensors", kind);
  writer.text("spiece.model", "pieces");

  // The text encoder's file is a hole behind its header.
  const auto path = dir.path() / "source/t5.safetensors";
  std::vector<TensorHeader> headers;
  uint64_t size = 0;
  for (const auto& param : parameters_of(large, NetworkKind::kTextEncoder)) {
    headers.push_back({param.key, DType::kF32, param.shape});
    size += static_cast<uint64_t>(c10::multiply_integers(param.shape)) * 4;
  }
  const auto header = make_safetensors_header(headers, {}, "t5");
  ASSERT_TRUE(header.ok());
  std::ofstream(path, std::ios::binary) << *header;
  fs::resize_file(path, header->size() + size);
  large.folder = dir.path() / "source";
  large.dit.file = large.folder / "dit.safetensors";
  large.wan_vae->file = large.folder / "wan_vae.safetensors";
  large.taehv.reset();
  large.text_encoder->file = path;
  large.tokenizer = large.folder / "spiece.model";
  dir.write("source/model.json", to_model_json(large).dump());

  reset_peak();
  const int64_t before = status_kib("VmRSS");
  ASSERT_EQ(error_of(import_model((dir.path() / "source").string(), dir.path() / "destination", {})), "");
  const int64_t peak = status_kib("VmHWM") - before;
  EXPECT_LT(peak, 192 * 1024) << "KiB above the start, for a tensor of 512 MiB";
  EXPECT_GE(fs::file_size(dir.path() / "destination/text_encoder.safetensors"), uint64_t{256} << 20);
}

}  // namespace
}  // namespace sdv2
