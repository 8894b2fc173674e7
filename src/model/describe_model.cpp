// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/describe_model.h"

#include "base/json.h"
#include "model/hub_config.h"
#include "model/model_json.h"
#include "model/random_model.h"
#include "model/tensor_sizes.h"
#include "weights/mapped_source.h"
#include "weights/tensor_file.h"

namespace sdv2 {
namespace {

namespace fs = std::filesystem;

Result<TensorShapes> read_shapes(const fs::path& file, NetworkKind kind) {
  SDV2_TRY(const auto source, open_network(file, kind));
  TensorShapes shapes;
  for (const auto& info : *source->tensors()) shapes.emplace(info.key, info.shape);
  return shapes;
}

template <class Spec>
Result<Network<Spec>> network_of(const fs::path& file, NetworkKind kind,
                                 Result<Spec> (*sizes)(const TensorShapes&)) {
  SDV2_TRY(const TensorShapes shapes, read_shapes(file, kind));
  auto spec = sizes(shapes);
  if (!spec.ok()) return Error{spec.error().code, file.string() + ": " + spec.error().message};
  return Network<Spec>{*std::move(spec), file};
}

// Applies the first config.json that is about a transformer of this width. The base folder of a
// StreamDiffusionV2 model need not be of the checkpoint's size: then the sizes stay as the checkpoint's
// shapes tell them.
Result<void> apply_dit_configs(const ModelFiles& files, ModelDescription& model) {
  for (const auto& path : files.dit_configs) {
    SDV2_TRY(const auto config, read_json_file(path, {.max_bytes = 1 << 20}));
    const auto width = dit_width_of(config);
    const bool may_differ = files.origin == ModelOrigin::kStreamDiffusionV2;
    if (may_differ && width && *width != model.dit.spec.dim) continue;
    return apply_dit_config(config, path.string(), model.dit.spec);
  }
  return {};
}

// What is missing, and of the weights that are there those that cannot be read, in one error.
Result<void> check_files(const ModelFiles& files) {
  const auto complete = check_complete(files);
  if (complete.ok()) return {};
  std::string wrong;
  for (const fs::path& path : {files.dit, files.wan_vae, files.taehv, files.text_encoder}) {
    if (path.empty()) continue;
    const auto source = open_tensor_file(path);
    if (!source.ok()) wrong += "\n  " + source.error().message;
  }
  if (!wrong.empty()) wrong = "\nand this is wrong with what is there:" + wrong;
  return Error{complete.error().code, complete.error().message + wrong};
}

void set_stream_defaults(ModelDescription& model) {
  if (model.dit.spec.dim == DitConfig::wan_14b().dim) model.stream.num_steps = 1;
  if (model.origin == ModelOrigin::kStreamDiffusionV2) return;
  model.stream.normalise_encode = true;  // as the base model was trained
  model.notes.emplace_back(
      "The transformer of this layout is the released base model, which was not trained to stream in few "
      "steps: expect poor "
      "pictures. The causal checkpoint is on Hugging Face, repository jerryfeng/StreamDiffusionV2.");
}

}  // namespace

Result<ModelDescription> describe_files(const ModelFiles& files) {
  ModelDescription model;
  model.origin = files.origin;
  model.folder = files.folder;
  model.name = fs::absolute(files.dit).parent_path().filename().string();
  model.tokenizer = files.tokenizer;

  SDV2_TRY(model.dit, network_of(files.dit, NetworkKind::kDit, dit_sizes));
  SDV2_CHECK(apply_dit_configs(files, model));
  SDV2_TRY(model.wan_vae, network_of(files.wan_vae, NetworkKind::kWanVae, wan_vae_sizes));
  if (!files.wan_vae_config.empty()) {
    SDV2_TRY(const auto config, read_json_file(files.wan_vae_config, {.max_bytes = 1 << 20}));
    SDV2_CHECK(apply_wan_vae_config(config, files.wan_vae_config.string(), model.wan_vae->spec));
  }
  SDV2_TRY(model.text_encoder, network_of(files.text_encoder, NetworkKind::kTextEncoder, text_encoder_sizes));
  if (!files.text_encoder_config.empty()) {
    SDV2_TRY(const auto config, read_json_file(files.text_encoder_config, {.max_bytes = 1 << 20}));
    SDV2_CHECK(
        apply_text_encoder_config(config, files.text_encoder_config.string(), model.text_encoder->spec));
  }
  if (!files.taehv.empty()) {
    SDV2_TRY(model.taehv, network_of(files.taehv, NetworkKind::kTaehv, taehv_sizes));
  }
  set_stream_defaults(model);
  if (auto sound = validate(model); !sound.ok())
    return Error{ErrorCode::kCorrupt, files.folder.string() + ": " + sound.error().message +
                                          ". Do the files belong to one model?"};
  return model;
}

Result<ModelDescription> describe_model(const std::string& model) {
  if (model.starts_with(kRandomPrefix)) return parse_random_model(model);
  std::error_code ignored;
  if (fs::exists(fs::path(model) / kModelJson, ignored)) return read_model_json(model);
  SDV2_TRY(const ModelFiles files, find_model_files(model));
  SDV2_CHECK(check_files(files));
  return describe_files(files);
}

}  // namespace sdv2
