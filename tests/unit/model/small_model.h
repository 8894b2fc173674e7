// SPDX-License-Identifier: LGPL-2.1-or-later
// A whole model of tiny networks with formula weights, written in every layout that sdv2 reads.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/network_files.h"
#include "unit/weights/file_builders.h"
#include "weights/formula_source.h"
#include "weights/safetensors_writer.h"

namespace sdv2::test {

// Sizes of the tiny networks; no files.
inline ModelDescription small_model() {
  ModelDescription model;
  model.dit.spec = {.dim = 128,
                    .ffn_dim = 96,
                    .num_heads = 1,
                    .num_layers = 3,
                    .freq_dim = 32,
                    .text_dim = 32,
                    .text_len = 512};
  model.wan_vae = {.spec = {.base_dim = 4}};
  model.taehv = {.spec = {.encoder_width = 8, .decoder_widths = {16, 8, 8, 8}}};
  model.text_encoder = {
      .spec = {.vocab = 64, .dim = 32, .dim_attn = 32, .dim_ffn = 48, .num_heads = 2, .num_layers = 2}};
  return model;
}

// The value of a parameter of every small model.
inline at::Tensor weight(const Param& param) {
  FormulaSource source(5);
  return *source.read(param.key, param.shape, at::kFloat, at::kCPU);
}

// Writes the files of a small model below a folder.
class SmallModelWriter {
 public:
  explicit SmallModelWriter(std::filesystem::path folder, ModelDescription model = small_model())
      : folder_(std::move(folder)), model_(std::move(model)) {}

  // In float32, under the names of a layout.
  void safetensors(const std::string& name, NetworkKind kind, KeyLayout layout = KeyLayout::kOriginal) const {
    write(path(name), named(kind, layout), parameters_of(model_, kind));
  }

  // In two files and <stem>.safetensors.index.json.
  void shards(const std::string& stem, NetworkKind kind, KeyLayout layout = KeyLayout::kOriginal) const {
    const ParamList params = parameters_of(model_, kind);
    const auto names = named(kind, layout);
    const auto half = static_cast<ptrdiff_t>(params.size() / 2);
    nlohmann::json index;
    for (int part = 0; part < 2; ++part) {
      const std::string file =
          stem + (part == 0 ? "-00001-of-00002.safetensors" : "-00002-of-00002.safetensors");
      const auto from = part == 0 ? 0 : half;
      const auto to = part == 0 ? half : static_cast<ptrdiff_t>(params.size());
      const std::vector<std::string> some(names.begin() + from, names.begin() + to);
      write(path(file), some, {params.begin() + from, params.begin() + to});
      for (const auto& name : some) index["weight_map"][name] = path(file).filename().string();
    }
    std::ofstream(path(stem + ".safetensors.index.json")) << index.dump();
  }

  // A torch checkpoint in float32: {nest: {prefix + key: tensor}}, or flat for an empty nest.
  void torch_checkpoint(const std::string& name, NetworkKind kind, const std::string& nest = "",
                        const std::string& prefix = "") const {
    std::vector<std::pair<std::string, std::string>> items;
    std::vector<std::string> storages;
    for (const auto& param : parameters_of(model_, kind)) {
      const at::Tensor value = weight(param);
      std::vector<int32_t> size(param.shape.begin(), param.shape.end());
      std::vector<int32_t> stride(value.strides().begin(), value.strides().end());
      const auto count = static_cast<int32_t>(value.numel());
      const std::string storage = pickle_storage("FloatStorage", std::to_string(storages.size()), count);
      items.emplace_back(prefix + param.key, pickle_tensor(storage, 0, size, stride));
      storages.emplace_back(static_cast<const char*>(value.const_data_ptr()), value.nbytes());
    }
    std::string dict = pickle_dict(items);
    if (!nest.empty()) dict = pickle_dict({{nest, dict}});
    std::ofstream(path(name), std::ios::binary) << checkpoint(kProto + dict + ".", storages);
  }

  void text(const std::string& name, const std::string& content) const {
    std::ofstream(path(name)) << content;
  }

  // --- whole models

  // VAE, text encoder, tokenizer and config.json of the original release.
  void base(const std::string& at) const {
    torch_checkpoint(at + "Wan2.1_VAE.pth", NetworkKind::kWanVae);
    torch_checkpoint(at + "models_t5_umt5-xxl-enc-bf16.pth", NetworkKind::kTextEncoder);
    text(at + "google/umt5-xxl/tokenizer.json", "{}");
    text(at + "config.json",
         R"({"model_type": "t2v", "dim": 128, "num_heads": 1, "num_layers": 3, "eps": 1e-6})");
  }
  void stream_diffusion_v2() const {
    base("wan_models/Wan2.1-T2V-1.3B/");
    torch_checkpoint("ckpts/wan_causal_dmd_v2v/model.pt", NetworkKind::kDit, "generator", "model.");
    torch_checkpoint("ckpts/taew2_1.pth", NetworkKind::kTaehv);
  }
  void wan() const {
    base("");
    shards("diffusion_pytorch_model", NetworkKind::kDit);
  }
  void diffusers() const {
    shards("transformer/diffusion_pytorch_model", NetworkKind::kDit, KeyLayout::kRenamed);
    safetensors("vae/diffusion_pytorch_model.safetensors", NetworkKind::kWanVae, KeyLayout::kRenamed);
    shards("text_encoder/model", NetworkKind::kTextEncoder, KeyLayout::kRenamed);
    text("tokenizer/spiece.model", "pieces");
    text("model_index.json", "{}");
    text("vae/config.json", R"({"base_dim": 4, "z_dim": 16})");
  }

  std::filesystem::path path(const std::string& name) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    return folder_ / name;
  }

 private:
  std::vector<std::string> named(NetworkKind kind, KeyLayout layout) const {
    std::vector<std::string> names;
    for (const auto& param : parameters_of(model_, kind))
      names.push_back(from_original(kind, layout, param.key).value());
    return names;
  }

  static void write(const std::filesystem::path& path, const std::vector<std::string>& names,
                    const ParamList& params) {
    std::vector<TensorInfo> infos;
    for (size_t i = 0; i < params.size(); ++i) infos.push_back({names[i], DType::kF32, params[i].shape});
    auto writer = SafetensorsWriter::create(path, infos);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    for (const auto& param : params) ASSERT_TRUE((*writer)->append(weight(param)).ok());
    ASSERT_TRUE((*writer)->finish().ok());
  }

  std::filesystem::path folder_;
  ModelDescription model_;
};

}  // namespace sdv2::test
