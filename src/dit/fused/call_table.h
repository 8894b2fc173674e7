// SPDX-License-Identifier: LGPL-2.1-or-later
// What the kernels of a call read from device memory: one block of bytes, written on the host and copied
// whole.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/fused/fused_dit.h"
#include "dit/fused/time_cache.h"
#include "kernels/dit/adaptive_sinks.h"
#include "kernels/dit/attention.h"
#include "kernels/dit/token_ops.h"

namespace sdv2 {

// Where its parts lie, for calls of that many blocks and rows of that many frames. Offsets in bytes; arrays
// are [blocks, rows] or as said.
struct CallTableLayout {
  CallTableLayout(int64_t blocks, int64_t rows, int64_t frames);

  int64_t rows, frames;
  int64_t kv = 0;          // KvMaps of the caches
  int64_t text = 0;        // KvMaps of the prompts
  int64_t rings = 0;       // RingPointers
  int64_t e0 = 0;          // const bf16* [rows, frames]: time vectors of the blocks
  int64_t e = 0;           // and of the head
  int64_t starts = 0;      // double [rows]
  int64_t valid = 0;       // int: keys in the cache
  int64_t slots = 0;       // int [blocks, rows, frames]
  int64_t choices = 0;     // SinkChoice
  int64_t text_valid = 0;  // int [rows]
  int64_t bytes = 0;

  // The offset of a block's part of an array [blocks, rows].
  int64_t kv_of(int64_t block) const { return kv + block * rows * static_cast<int64_t>(sizeof(KvMaps)); }
  int64_t text_of(int64_t block) const { return text + block * rows * static_cast<int64_t>(sizeof(KvMaps)); }
  int64_t rings_of(int64_t block) const {
    return rings + block * rows * static_cast<int64_t>(sizeof(RingPointers));
  }
  int64_t valid_of(int64_t block) const { return valid + block * rows * static_cast<int64_t>(sizeof(int)); }
  int64_t choices_of(int64_t block) const {
    return choices + block * rows * static_cast<int64_t>(sizeof(SinkChoice));
  }
  int64_t slots_of(int64_t block) const {
    return slots + block * rows * frames * static_cast<int64_t>(sizeof(int));
  }
};

// Writes a call's table to `to`, [layout.bytes] of host memory. times: of every frame of every row.
void write_call_table(const FusedCall& call, const std::vector<const TimeVectors*>& times,
                      const CallTableLayout& layout, uint8_t* to);

}  // namespace sdv2
