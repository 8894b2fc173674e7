// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind manifests: the names and shapes of published files against the networks' own parameter lists, and the
// names of the renamed copies against the renaming tables. No tensor is made.
#include <zlib.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "model/network_files.h"
#include "model/tensor_sizes.h"
#include "tools/parity/kinds.h"
#include "weights/key_map.h"

namespace sdv2::parity {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Reads a plain or gzip-compressed text (zlib tells them apart).
std::string read_text(const fs::path& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error(path.string() + ": cannot be opened");
  std::string text, buffer(1 << 16, '\0');
  int count = 0;
  while ((count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0)
    text.append(buffer, 0, static_cast<size_t>(count));
  gzclose(file);
  if (count < 0) throw std::runtime_error(path.string() + ": cannot be decompressed");
  return text;
}

template <class T>
T value_of(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

std::optional<DetectedKeys> detect(const std::vector<std::string>& names) {
  return detect_keys(std::vector<std::string_view>(names.begin(), names.end()));
}

// The parameters of the network that has these shapes.
ParamList parameters_for(NetworkKind kind, const TensorShapes& shapes) {
  ModelDescription model;
  switch (kind) {
    case NetworkKind::kDit:
      model.dit.spec = value_of(dit_sizes(shapes));
      break;
    case NetworkKind::kWanVae:
      model.wan_vae = {.spec = value_of(wan_vae_sizes(shapes))};
      break;
    case NetworkKind::kTaehv:
      model.taehv = {.spec = value_of(taehv_sizes(shapes))};
      break;
    case NetworkKind::kTextEncoder:
      model.text_encoder = {.spec = value_of(text_encoder_sizes(shapes))};
      break;
  }
  return parameters_of(model, kind);
}

void compare_lists(const std::string& name, const ParamList& params, const TensorShapes& shapes,
                   Report& report) {
  int64_t differences = 0;
  std::string first;
  const auto note = [&](const std::string& what) {
    if (differences++ == 0) first = what;
  };
  std::map<std::string, const Param*> listed;
  for (const auto& param : params)
    if (!listed.emplace(param.key, &param).second) note(param.key + " is listed twice");
  for (const auto& [key, shape] : shapes) {
    const auto found = listed.find(key);
    if (found == listed.end())
      note(key + " is not in the network");
    else if (found->second->shape != shape)
      note(key + " has another shape");
  }
  for (const auto& [key, param] : listed)
    if (!shapes.contains(key)) note(key + " is not in the manifest");
  report.exact(name + " names and shapes", differences == 0,
               std::to_string(differences) + " differ, first: " + first);
}

void compare_renaming(const std::string& name, NetworkKind kind, const json& renamed, Report& report) {
  int64_t differences = 0;
  std::string first;
  std::vector<std::string> names;
  for (const auto& [original, value] : renamed.items()) {
    const std::string& other = value.get_ref<const std::string&>();
    names.push_back(other);
    if (to_original(kind, KeyLayout::kRenamed, other) == original &&
        from_original(kind, KeyLayout::kRenamed, original) == other)
      continue;
    if (differences++ == 0) first = original;
  }
  report.exact(name + " renaming", differences == 0,
               std::to_string(differences) + " differ, first: " + first);
  const auto found = detect(names);
  report.exact(name + " renamed layout is detected",
               found && found->kind == kind && found->layout == KeyLayout::kRenamed);
}

void run_manifest(const fs::path& path, Report& report) {
  const json manifest = json::parse(read_text(path));
  const std::string name = manifest.at("model");
  TensorShapes shapes;
  std::vector<std::string> keys;
  int64_t parameters = 0;
  for (const auto& [key, tensor] : manifest.at("keys").items()) {
    keys.push_back(key);
    shapes[key] = tensor.at("shape").get<std::vector<int64_t>>();
  }
  const auto found = detect(keys);
  report.exact(name + " is detected", found && found->layout == KeyLayout::kOriginal);
  if (!found) return;

  const ParamList params = parameters_for(found->kind, shapes);
  for (const auto& param : params) parameters += c10::multiply_integers(param.shape);
  report.exact(name + " tensors", params.size() == manifest.at("tensors").get<size_t>());
  report.exact(name + " parameters", parameters == manifest.at("parameters").get<int64_t>());
  compare_lists(name, params, shapes, report);
  if (manifest.contains("renamed_layout"))
    compare_renaming(name, found->kind, manifest.at("renamed_layout"), report);
}

}  // namespace

void run_manifests(const Case& loaded, at::Device, Report& report) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(loaded.dir)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json") || name.ends_with(".json.gz")) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) run_manifest(file, report);
}

}  // namespace sdv2::parity
