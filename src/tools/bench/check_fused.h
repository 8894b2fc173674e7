// SPDX-License-Identifier: LGPL-2.1-or-later
// --check-fused: the pictures of plain kernels, kept in files until the run that is compared with them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.h"
#include "tools/bench/options.h"

namespace sdv2::bench {

// A folder of its own among the temporary files, removed with this.
class PlainPictures {
 public:
  // Errors: kNotFound when it cannot be made.
  static Result<std::unique_ptr<PlainPictures>> make();
  explicit PlainPictures(std::filesystem::path folder) : folder_(std::move(folder)) {}
  PlainPictures(const PlainPictures&) = delete;
  PlainPictures& operator=(const PlainPictures&) = delete;
  ~PlainPictures();

  // Options for the model on plain kernels, in the devices' type.
  static Options plain(const Options& options);
  // Options for a run with these steps that writes its pictures, or compares them with what was written.
  Options writing(const Options& options, std::optional<int> steps) const;
  Options comparing(const Options& options, std::optional<int> steps) const;

 private:
  std::filesystem::path file(std::optional<int> steps) const;

  std::filesystem::path folder_;
};

}  // namespace sdv2::bench
