// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures that go in: a moving test picture, or a file of raw RGB frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace sdv2::bench {

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  // Writes frame `index` (0 …) as packed RGB, height x width x 3 bytes. Any thread. Errors: those of the
  // file.
  virtual Result<void> read(int64_t index, std::span<uint8_t> rgb) const = 0;
};

// Discs that move over a moving gradient with texture; the same bytes everywhere.
std::unique_ptr<FrameSource> moving_picture(int width, int height);

// The frames of a file in turn, from the start again after the last. Errors: kNotFound; kCorrupt when it does
// not hold whole frames of the size.
Result<std::unique_ptr<FrameSource>> raw_file(const std::string& path, int width, int height);

}  // namespace sdv2::bench
