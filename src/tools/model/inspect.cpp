// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-model inspect: what a file or a folder is.
#include <algorithm>
#include <cstdio>
#include <set>

#include "base/json.h"
#include "model/describe_model.h"
#include "model/known_files.h"
#include "model/network_files.h"
#include "model/tensor_sizes.h"
#include "tools/model/commands.h"
#include "tools/model/report.h"
#include "tools/model/sha256.h"
#include "weights/tensor_file.h"

namespace sdv2::model_tool {
namespace {

namespace fs = std::filesystem;

// The files that hold a network: itself, or the shards of an index.
std::vector<fs::path> parts_of(const fs::path& path) {
  if (path.extension() != ".json") return {path};
  const auto index = read_json_file(path);
  std::set<std::string> names;
  if (index.ok() && index->is_object() && index->contains("weight_map") &&
      index->at("weight_map").is_object())
    for (const auto& shard : index->at("weight_map"))
      if (shard.is_string()) names.insert(shard.get<std::string>());
  std::vector<fs::path> parts;
  for (const auto& name : names) parts.push_back(path.parent_path() / name);
  return parts;
}

// Prints which published file each part is. Returns false when a hash was asked for and is not the published
// one's.
bool print_releases(const fs::path& path, bool with_hash) {
  bool good = true;
  for (const auto& part : parts_of(path)) {
    std::error_code error;
    const uint64_t size = fs::file_size(part, error);
    if (error) continue;  // the reader has told
    const KnownFile* const known = find_known_file(size);
    if (known != nullptr)
      std::printf("  size of the published %s (%s)\n", std::string(known->title).c_str(),
                  std::string(known->release).c_str());
    if (!with_hash) continue;
    ProgressLine line;
    const auto hash =
        sha256_of_file(part, [&](uint64_t done, uint64_t total) { line.show("sha256", done, total); });
    if (!hash.ok()) return report(hash.error()) == kOk;
    const bool comparable = known != nullptr && !known->sha256.empty();
    const bool same = comparable && *hash == known->sha256;
    std::printf("  sha256 %s  %s%s\n", hash->c_str(), part.filename().c_str(),
                !comparable ? ""
                : same      ? ", as published"
                            : ", NOT as published: download it again");
    good &= same || !comparable;
  }
  return good;
}

// "dim 1536, …" of a network's tensors.
std::string sizes_text_of(const std::vector<TensorInfo>& tensors, const DetectedKeys& found) {
  TensorShapes shapes;
  for (const auto& info : tensors)
    if (auto key = to_original(found.kind, found.layout, info.key))
      shapes.emplace(*std::move(key), info.shape);
  const auto text = [&](auto sizes) {
    const auto spec = sizes(shapes);
    return spec.ok() ? sizes_text(*spec) : "a part of a network: " + spec.error().message;
  };
  switch (found.kind) {
    case NetworkKind::kDit:
      return text(dit_sizes);
    case NetworkKind::kWanVae:
      return text(wan_vae_sizes);
    case NetworkKind::kTaehv:
      return text(taehv_sizes);
    case NetworkKind::kTextEncoder:
      return text(text_encoder_sizes);
  }
  return "";
}

int inspect_file(const fs::path& path, bool with_hash) {
  std::printf("%s\n", path.c_str());
  const auto source = open_tensor_file(path);
  if (!source.ok()) {
    print_releases(path, with_hash);
    std::fflush(stdout);
    return report(source.error());
  }
  const auto& tensors = *(*source)->tensors();
  const auto found = detect_keys(tensors);
  if (found)
    std::printf("  %s, %s\n  %s\n", title_of(found->kind), layout_title(found->kind, found->layout),
                sizes_text_of(tensors, *found).c_str());
  else
    std::printf("  tensors whose names fit no network that sdv2 runs\n");
  std::printf("  %s\n", content_text(tensors).c_str());
  return print_releases(path, with_hash) ? kOk : kFailed;
}

int inspect_folder(const fs::path& folder, bool with_hash) {
  // Files that are there are shown even when others are missing or damaged.
  std::error_code ignored;
  std::vector<fs::path> files;
  int status = kOk;
  if (!fs::exists(folder / "model.json", ignored)) {
    const auto found = find_model_files(folder);
    if (!found.ok()) return report(found.error());
    std::printf("%s: %s\n", folder.c_str(), to_string(found->origin));
    for (const auto& file : {found->dit, found->wan_vae, found->taehv, found->text_encoder})
      if (!file.empty()) files.push_back(file);
    std::fflush(stdout);
    if (const auto complete = check_complete(*found); !complete.ok()) status = report(complete.error());
  } else {
    const auto model = describe_model(folder.string());
    if (!model.ok()) return report(model.error());
    std::printf("%s: %s, \"%s\"\n", folder.c_str(), to_string(model->origin), model->name.c_str());
    for (const NetworkKind kind : networks_of(*model)) files.push_back(file_of(*model, kind));
  }
  for (const auto& file : files) status = std::max(status, inspect_file(file, with_hash));
  return status;
}

}  // namespace

int run_inspect(Arguments arguments) {
  bool with_hash = false;
  fs::path path;
  for (const auto argument : arguments) {
    if (argument == "--sha256")
      with_hash = true;
    else if (argument.starts_with("-"))
      return wrong_usage("inspect does not know " + std::string(argument));
    else if (!path.empty())
      return wrong_usage("inspect takes one file or folder");
    else
      path = argument;
  }
  if (path.empty()) return wrong_usage("inspect needs a file or a folder");
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? inspect_folder(path, with_hash) : inspect_file(path, with_hash);
}

}  // namespace sdv2::model_tool
