// SPDX-License-Identifier: LGPL-2.1-or-later
// Device memory between the kernels of a call. It stays at its place from call to call, as captured graphs
// refer to it.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/dit_config.h"

namespace sdv2 {

struct FusedSizes {
  int64_t tokens = 0;  // of all rows
  int64_t frames = 0;  // of all rows
  int64_t blocks = 0;
  int64_t table_bytes = 0;
  int64_t rows = 0;
  int64_t sinks = 0;  // that a row compares
  bool fp8 = false;   // linears

  // Whether what is enough for this is enough for `other`.
  bool covers(const FusedSizes& other) const;
  // Enough for both.
  FusedSizes with(const FusedSizes& other) const;
};

struct FusedBuffers {
  FusedBuffers(const DitConfig& config, const FusedSizes& sizes, int processors, at::Device device);

  FusedSizes sizes;
  at::Tensor latents;                      // bf16 [tokens · patch_in], what is embedded
  at::Tensor flow;                         // bf16 [tokens · patch_out], what the head gives
  at::Tensor x;                            // bf16 [tokens, dim]: the residual stream
  at::Tensor y;                            // bf16 [tokens, dim]: normed
  at::Tensor q;                            // bf16 [tokens, dim]: queries
  at::Tensor attended;                     // bf16 [tokens, dim]
  at::Tensor z;                            // bf16 [tokens, dim]: what is to be added to x
  at::Tensor wide;                         // bf16 [tokens, max(3·dim, ffn_dim)]: products
  at::Tensor wide8;                        // e4m3 [tokens, ffn_dim] with fp8 linears; narrower ones are in y
  at::Tensor y_scales, wide_scales;        // float [tokens]: of what is e4m3 there
  at::Tensor turns;                        // float [tokens, 64, 2]
  at::Tensor modulation;                   // float [blocks, frames, 6, dim]
  at::Tensor head_modulation;              // float [frames, 2, dim]
  at::Tensor table;                        // bytes
  at::Tensor similarity;                   // float [blocks · rows · sinks]
  at::Tensor sink_scratch;                 // float: between the kernels that compare sinks
  at::Tensor partial_sums, partial_norms;  // bytes
};

}  // namespace sdv2
