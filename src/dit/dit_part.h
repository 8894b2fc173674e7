// SPDX-License-Identifier: LGPL-2.1-or-later
// Which parts of a transformer a device holds. Any cut is possible: it may have some blocks and nothing else.
#pragma once

#include <cstdint>

#include "dit/dit_config.h"

namespace sdv2 {

// Blocks begin … end-1.
struct BlockRange {
  int64_t begin = 0;
  int64_t end = 0;

  bool contains(int64_t block) const { return begin <= block && block < end; }
  bool operator==(const BlockRange&) const = default;
};

struct DitPart {
  bool patch = false;  // latents to tokens
  bool text = false;   // text embedding: prompt embeddings to the context of the cross-attentions
  bool time = false;  // time embedding and projection: every device that holds blocks or the head can compute
                      // it itself
  bool head = false;  // tokens to flow
  BlockRange blocks;

  static DitPart all(const DitConfig& config) { return {true, true, true, true, {0, config.num_layers}}; }

  bool operator==(const DitPart&) const = default;
};

}  // namespace sdv2
