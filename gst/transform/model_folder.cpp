// SPDX-License-Identifier: LGPL-2.1-or-later
// Cheap checks of a model's folder.
#include "transform/model_folder.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sdv2 {

ModelFolderCheck check_model_folder(const std::string& model) {
  constexpr std::uintmax_t kMaxBytes = 1 << 20;
  if (model.starts_with("random:")) return {true, ""};
  std::error_code error;
  const std::filesystem::path folder = model;
  if (!std::filesystem::is_directory(folder, error)) return {false, "there is no such folder"};
  const auto path = folder / "model.json";
  if (!std::filesystem::exists(path, error)) return {true, ""};
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > kMaxBytes) return {true, path.string() + " is no file of at most 1 MiB"};
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) return {true, path.string() + " is no JSON object"};
  return {true, ""};
}

}  // namespace sdv2
