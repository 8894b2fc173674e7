// SPDX-License-Identifier: LGPL-2.1-or-later
// Where output pixels go besides the checksum: into a file, or against the pixels of one.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/bench/measure.h"

namespace sdv2::bench {

class Output {
 public:
  // Empty paths: not wanted. Errors: kNotFound naming the file.
  static Result<std::unique_ptr<Output>> open(const std::string& dump, const std::string& against);

  // The next frame. Errors: kNotFound (cannot be written), kCorrupt (the other file ends before).
  Result<void> add(std::span<const uint8_t> rgb);
  // After the last frame. Errors: as add; kCorrupt when the other file goes on.
  Result<void> finish();

  // Only with a file to compare with.
  const Difference* difference() const { return against_.is_open() ? &difference_ : nullptr; }

 private:
  std::string dump_path_;
  std::string against_path_;
  std::ofstream dump_;
  std::ifstream against_;
  std::vector<uint8_t> expected_;
  Difference difference_;
};

}  // namespace sdv2::bench
