// SPDX-License-Identifier: LGPL-2.1-or-later
// How the tokens of a chunk lie in space and time: frame slowest, then row, then column.
#pragma once

#include <cstdint>

#include "dit/dit_config.h"

namespace sdv2 {

struct TokenGrid {
  int64_t frames = 0;  // F, latent frames of the chunk
  int64_t height = 0;  // in tokens: latent height / 2
  int64_t width = 0;

  // For latents of F frames of h × w latent pixels, both even.
  static TokenGrid of_latents(int64_t frames, int64_t h, int64_t w) {
    return {frames, h / kPatch, w / kPatch};
  }

  int64_t per_frame() const { return height * width; }  // S
  int64_t tokens() const { return frames * per_frame(); }
};

}  // namespace sdv2
