// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind text: a folder with clean.json (prompt cleaning) and ids_<name>.json files (token ids of the model or
// tokenizer file <name> beside them; a name that ends in _len<n> means texts cut and padded to n tokens).
#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "text/clean_prompt.h"
#include "text/tokenizer.h"
#include "tools/parity/kinds.h"

namespace sdv2::parity {
namespace {

namespace fs = std::filesystem;

nlohmann::json read_json(const fs::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

std::string in_json(const nlohmann::json& value) { return value.dump(-1, ' ', /*ensure_ascii=*/true); }

void run_clean(const fs::path& path, Report& report) {
  for (const auto& item : read_json(path)) {
    const std::string got = clean_prompt(item.at("in").get<std::string>());
    // There is no repair of wrongly decoded text.
    const auto& want = item.contains("clean_without_encoding_repair") ? item["clean_without_encoding_repair"]
                                                                      : item.at("clean");
    report.exact("clean " + in_json(item["in"]), got == want, in_json(got) + ", wanted " + in_json(want));
  }
}

// "ids_tokenizer_len16" → {"tokenizer", 16}; no length: 0.
struct IdsName {
  std::string model;
  size_t length = 0;
};

IdsName parse_ids_name(const std::string& stem) {
  constexpr std::string_view kPrefix = "ids_", kLength = "_len";
  std::string name = stem.substr(kPrefix.size());
  const size_t at = name.rfind(kLength);
  const std::string digits = at == name.npos ? "" : name.substr(at + kLength.size());
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return {name, 0};
  return {name.substr(0, at), std::stoul(digits)};
}

void run_ids(const fs::path& path, Report& report) {
  const auto [model, length] = parse_ids_name(path.stem().string());
  fs::path file = path.parent_path() / (model + ".json");
  if (!fs::exists(file)) file.replace_extension(".model");
  const auto tokenizer = Tokenizer::open(file);
  if (!tokenizer.ok()) throw std::runtime_error(tokenizer.error().message);
  const size_t max_len = length > 0 ? length : std::numeric_limits<size_t>::max();
  for (const auto& item : read_json(path)) {
    std::vector<int32_t> got = (*tokenizer)->encode(item.at("in").get<std::string>(), max_len);
    got.resize(std::max(got.size(), length), 0);
    const auto want = item.at("ids").get<std::vector<int32_t>>();
    report.exact(path.stem().string() + " " + in_json(item["in"]), got == want,
                 in_json(got) + ", wanted " + in_json(want));
  }
}

}  // namespace

void run_text(const Case& loaded, at::Device, Report& report) {
  run_clean(loaded.dir / "clean.json", report);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(loaded.dir)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    if (file.filename().string().starts_with("ids_") && file.extension() == ".json") run_ids(file, report);
}

}  // namespace sdv2::parity
