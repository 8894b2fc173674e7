// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/bench/check_fused.h"

#include <cstdlib>

namespace sdv2::bench {

Result<std::unique_ptr<PlainPictures>> PlainPictures::make() {
  std::error_code error;
  std::string path = (std::filesystem::temp_directory_path(error) / "sdv2-bench-XXXXXX").string();
  if (error || ::mkdtemp(path.data()) == nullptr)
    return Error{ErrorCode::kNotFound, "--check-fused: no folder for temporary files at " + path};
  return std::make_unique<PlainPictures>(path);
}

PlainPictures::~PlainPictures() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Options PlainPictures::plain(const Options& options) {
  Options plain = options;
  plain.kernels = "plain";
  plain.linears = "auto";
  return plain;
}

Options PlainPictures::writing(const Options& options, std::optional<int> steps) const {
  Options run = options;
  run.dump = file(steps);
  return run;
}

Options PlainPictures::comparing(const Options& options, std::optional<int> steps) const {
  Options run = options;
  run.against = file(steps);
  return run;
}

std::filesystem::path PlainPictures::file(std::optional<int> steps) const {
  return folder_ / (std::to_string(steps.value_or(0)) + ".rgb");
}

}  // namespace sdv2::bench
