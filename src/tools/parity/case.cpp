// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/case.h"

#include <array>
#include <fstream>
#include <stdexcept>

#include "weights/tensor_file.h"

namespace sdv2::parity {
namespace {

namespace fs = std::filesystem;

// Folders of plain files have no case.json; the file that marks one gives its kind.
struct FileFolder {
  const char* marker;
  const char* kind;
};
constexpr std::array kFileFolders = {FileFolder{"expected.json", "checkpoint_files"},
                                     FileFolder{"clean.json", "text"}, FileFolder{"vae.json", "manifests"}};

nlohmann::json read_json(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path.string() + ": cannot be opened");
  return nlohmann::json::parse(file);
}

// A case in another precision may leave out what it shares with its sibling: "same_as" begins with that one's
// name. What is not there is taken from it.
void take_over(const fs::path& dir, nlohmann::json& json) {
  const std::string same_as = json.at("same_as");
  const fs::path sibling = dir.parent_path() / same_as.substr(0, same_as.find(' ')) / "case.json";
  const nlohmann::json shared = read_json(sibling);
  for (const auto& [field, value] : shared.items())
    if (!json.contains(field)) json[field] = value;
}

}  // namespace

at::ScalarType Case::type() const {
  const std::string profile = json.value("profile", "float32");
  const auto says = [&](const char* type) { return profile.find(type) != std::string::npos; };
  if (says("bf16") || says("bfloat16")) return at::kBFloat16;
  if (says("f16") || says("float16")) return at::kHalf;
  if (says("f32") || says("float32")) return at::kFloat;
  throw std::runtime_error("profile: '" + profile + "' names no element type (f32, f16, bf16)");
}

Tolerance tolerance_of(const nlohmann::json& object) {
  return {object.at("max_abs").get<double>(), object.at("rel_l2").get<double>()};
}

void Report::compare(const std::string& what, const at::Tensor& got, const at::Tensor& want,
                     const Tolerance& tolerance, const std::optional<at::Tensor>& fp32,
                     double measured_rel_l2) {
  ++compared_;
  if (got.sizes() != want.sizes()) {
    std::ostringstream text;
    text << what << ": shape " << got.sizes() << ", wanted " << want.sizes();
    failures_.push_back(text.str());
    return;
  }
  const at::Tensor g = got.detach().to(at::kCPU, at::kDouble);
  const auto distance = [&](const at::Tensor& reference) {
    const at::Tensor w = reference.to(at::kDouble);
    const double norm = w.norm().item<double>();
    const double error = (g - w).norm().item<double>();
    return norm > 0 ? error / norm : error;
  };
  const double max_abs = g.numel() > 0 ? (g - want.to(at::kDouble)).abs().max().item<double>() : 0;
  const double rel_l2 = distance(want);
  const double load = std::max(max_abs / tolerance.max_abs, rel_l2 / tolerance.rel_l2);
  if (!(load <= worst_)) {  // also true for NaN
    worst_ = load;
    max_abs_ = max_abs;
    rel_l2_ = rel_l2;
    tolerance_ = tolerance;
  }
  if (max_abs <= tolerance.max_abs && rel_l2 <= tolerance.rel_l2) return;
  if (fp32.has_value() && distance(*fp32) <= 1.5 * measured_rel_l2) return;
  std::ostringstream text;
  text << what << ": max_abs " << max_abs << ", rel_l2 " << rel_l2 << " (tolerance " << tolerance.max_abs
       << ", " << tolerance.rel_l2 << ")";
  failures_.push_back(text.str());
}

void Report::exact(const std::string& what, bool equal, const std::string& difference) {
  ++compared_;
  if (!equal) failures_.push_back(what + (difference.empty() ? ": differs" : ": " + difference));
}

void Report::note(const std::string& text) { notes_.push_back(text); }

bool is_case(const fs::path& dir) {
  if (fs::exists(dir / "case.json")) return true;
  for (const auto& folder : kFileFolders)
    if (fs::exists(dir / folder.marker)) return true;
  return false;
}

Case load_case(const fs::path& dir) {
  Case loaded;
  loaded.dir = dir;
  loaded.name = dir.filename().string();
  if (!fs::exists(dir / "case.json")) {
    for (const auto& folder : kFileFolders)
      if (fs::exists(dir / folder.marker)) loaded.kind = folder.kind;
    return loaded;
  }
  loaded.json = read_json(dir / "case.json");
  if (loaded.json.contains("same_as")) take_over(fs::absolute(dir), loaded.json);
  loaded.kind = loaded.json.at("kind");
  if (loaded.kind == "table") loaded.kind = loaded.name;  // umt5_buckets: a table is known by its name
  const fs::path expected = dir / "expected.safetensors";
  if (fs::exists(expected)) {
    auto source = open_tensor_file(expected);
    if (!source.ok()) throw std::runtime_error(source.error().message);
    for (const auto& info : *(*source)->tensors()) {
      auto tensor = (*source)->read(info.key, info.shape, to_scalar_type(info.dtype), at::kCPU);
      if (!tensor.ok()) throw std::runtime_error(tensor.error().message);
      loaded.expected.emplace(info.key, *std::move(tensor));
    }
  }
  return loaded;
}

}  // namespace sdv2::parity
