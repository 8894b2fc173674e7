// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model_layout.h"

#include <algorithm>
#include <initializer_list>

#include "model/known_files.h"

namespace sdv2 {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Folders in a folder, sorted by name; none when it cannot be read.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (is_folder(it->path())) out.push_back(it->path());
  std::ranges::sort(out);
  return out;
}

// The first of the names that is a file in one of the folders.
fs::path find_first(const std::vector<fs::path>& folders, std::initializer_list<const char*> names) {
  for (const char* const name : names)
    for (const auto& folder : folders)
      if (is_file(folder / name)) return folder / name;
  return {};
}

constexpr std::initializer_list<const char*> kDitNames = {"diffusion_pytorch_model.safetensors.index.json",
                                                          "diffusion_pytorch_model.safetensors"};
constexpr std::initializer_list<const char*> kVaeNames = {"Wan2.1_VAE.pth", "lightvaew2_1.pth"};
constexpr std::initializer_list<const char*> kTaehvNames = {"taew2_1.pth"};
constexpr std::initializer_list<const char*> kTextNames = {"models_t5_umt5-xxl-enc-bf16.pth"};
constexpr std::initializer_list<const char*> kTokenizerNames = {"google/umt5-xxl/tokenizer.json",
                                                                "google/umt5-xxl/spiece.model"};
constexpr const char* kCausalName = "model.pt";
constexpr const char* kBaseFolderPrefix = "Wan2.1-T2V-";

// Whether a folder holds anything of a Wan base folder.
bool looks_like_base(const fs::path& folder) {
  const std::vector<fs::path> here = {folder};
  return !find_first(here, kDitNames).empty() || !find_first(here, kVaeNames).empty() ||
         !find_first(here, kTextNames).empty() || !find_first(here, kTokenizerNames).empty();
}

// All base folders that belong to a StreamDiffusionV2 model in `folder`, the nearest first.
std::vector<fs::path> find_bases(const fs::path& folder) {
  std::vector<fs::path> bases;
  const auto add = [&](const fs::path& base) {
    if (looks_like_base(base) && std::ranges::find(bases, base) == bases.end()) bases.push_back(base);
  };
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  const fs::path start =
      absolute.has_filename() ? absolute : absolute.parent_path();  // without a "/" at its end
  for (const fs::path& root : {start, start.parent_path(), start.parent_path().parent_path()}) {
    add(root);
    for (const fs::path& parent : {root, root / "wan_models"})
      for (const auto& base : folders_in(parent))
        if (base.filename().string().starts_with(kBaseFolderPrefix)) add(base);
  }
  return bases;
}

std::vector<fs::path> find_causal_checkpoints(const fs::path& folder) {
  if (is_file(folder / kCausalName)) return {folder / kCausalName};
  std::vector<fs::path> found;
  for (const fs::path& parent : {folder, folder / "ckpts"})
    for (const auto& sub : folders_in(parent))
      if (is_file(sub / kCausalName)) found.push_back(sub / kCausalName);
  return found;
}

// The line of `missing` for a file that should be at `path`.
void require(ModelFiles& files, const fs::path& found, const char* what, const fs::path& wanted,
             std::string_view source) {
  if (!found.empty()) return;
  files.missing.push_back(std::string(what) + ": " + wanted.string() + "  (from " + std::string(source) +
                          ")");
}

// VAE, text encoder and tokenizer from base folders; `wanted` is where they should be when there are none.
void find_base_networks(ModelFiles& files, const std::vector<fs::path>& bases, const fs::path& wanted) {
  files.wan_vae = find_first(bases, kVaeNames);
  files.text_encoder = find_first(bases, kTextNames);
  files.tokenizer = find_first(bases, kTokenizerNames);
  for (const auto& base : bases)
    if (is_file(base / "config.json")) files.dit_configs.push_back(base / "config.json");
  require(files, files.wan_vae, "VAE", wanted / "Wan2.1_VAE.pth", kWanSource);
  require(files, files.text_encoder, "text encoder", wanted / "models_t5_umt5-xxl-enc-bf16.pth", kWanSource);
  require(files, files.tokenizer, "tokenizer", wanted / "google/umt5-xxl/tokenizer.json", kWanSource);
}

ModelFiles stream_diffusion_layout(const fs::path& folder, const fs::path& checkpoint) {
  ModelFiles files{.origin = ModelOrigin::kStreamDiffusionV2, .folder = folder, .dit = checkpoint};
  require(files, checkpoint, "causal transformer", folder / "ckpts/wan_causal_dmd_v2v/model.pt",
          kCausalSource);
  const auto bases = find_bases(folder);
  find_base_networks(files, bases, bases.empty() ? folder / "wan_models/Wan2.1-T2V-1.3B" : bases.front());
  std::vector<fs::path> places = {folder, folder / "ckpts"};
  if (!checkpoint.empty()) {
    places.push_back(checkpoint.parent_path());
    places.push_back(checkpoint.parent_path().parent_path());
  }
  places.insert(places.end(), bases.begin(), bases.end());
  files.taehv = find_first(places, kTaehvNames);
  return files;
}

ModelFiles wan_layout(const fs::path& folder) {
  ModelFiles files{.origin = ModelOrigin::kWan, .folder = folder, .dit = find_first({folder}, kDitNames)};
  require(files, files.dit, "transformer", folder / "diffusion_pytorch_model.safetensors", kWanSource);
  find_base_networks(files, {folder}, folder);
  files.taehv = find_first({folder}, kTaehvNames);
  return files;
}

ModelFiles diffusers_layout(const fs::path& folder) {
  ModelFiles files{.origin = ModelOrigin::kDiffusers, .folder = folder};
  files.dit = find_first({folder / "transformer"}, kDitNames);
  files.wan_vae = find_first({folder / "vae"}, kDitNames);
  files.taehv = find_first({folder}, kTaehvNames);
  files.text_encoder =
      find_first({folder / "text_encoder"}, {"model.safetensors.index.json", "model.safetensors"});
  files.tokenizer = find_first({folder / "tokenizer"}, {"tokenizer.json", "spiece.model"});
  if (is_file(folder / "transformer/config.json")) files.dit_configs = {folder / "transformer/config.json"};
  if (is_file(folder / "vae/config.json")) files.wan_vae_config = folder / "vae/config.json";
  if (is_file(folder / "text_encoder/config.json"))
    files.text_encoder_config = folder / "text_encoder/config.json";
  require(files, files.dit, "transformer",
          folder / "transformer/diffusion_pytorch_model.safetensors.index.json", kDiffusersSource);
  require(files, files.wan_vae, "VAE", folder / "vae/diffusion_pytorch_model.safetensors", kDiffusersSource);
  require(files, files.text_encoder, "text encoder", folder / "text_encoder/model.safetensors.index.json",
          kDiffusersSource);
  require(files, files.tokenizer, "tokenizer", folder / "tokenizer/tokenizer.json", kDiffusersSource);
  return files;
}

}  // namespace

Result<ModelFiles> find_model_files(const fs::path& folder) {
  if (!is_folder(folder))
    return Error{
        ErrorCode::kNotFound,
        folder.string() + ": no such folder. Name a model folder, or random:1.3b for random weights."};
  if (is_file(folder / "model_index.json") || is_folder(folder / "transformer"))
    return diffusers_layout(folder);

  const auto checkpoints = find_causal_checkpoints(folder);
  if (checkpoints.size() > 1) {
    std::string text =
        folder.string() + ": holds several causal checkpoints. Name the folder of one of them:";
    for (const auto& checkpoint : checkpoints) text += "\n  " + checkpoint.parent_path().string();
    return Error{ErrorCode::kInvalidArgument, text};
  }
  if (!checkpoints.empty()) return stream_diffusion_layout(folder, checkpoints.front());
  if (looks_like_base(folder)) return wan_layout(folder);
  if (is_folder(folder / "wan_models")) return stream_diffusion_layout(folder, {});

  return Error{ErrorCode::kNotFound,
               folder.string() +
                   ": holds no model that sdv2 knows. Put one of these into the folder:\n"
                   "  model.json and its files           (written by sdv2-model import)\n"
                   "  ckpts/wan_causal_dmd_v2v/model.pt  (from " +
                   std::string(kCausalSource) +
                   ")\n"
                   "    and wan_models/Wan2.1-T2V-1.3B/  (from " +
                   std::string(kWanSource) +
                   ")\n"
                   "  transformer/ vae/ text_encoder/ tokenizer/  (from " +
                   std::string(kDiffusersSource) + ")"};
}

Result<void> check_complete(const ModelFiles& files) {
  if (files.missing.empty()) return {};
  std::string text =
      files.folder.string() + ": " + to_string(files.origin) + ", but these files are missing:";
  for (const auto& line : files.missing) text += "\n  " + line;
  return Error{ErrorCode::kNotFound, text};
}

}  // namespace sdv2
