// SPDX-License-Identifier: LGPL-2.1-or-later
// Softmax attention for Hopper GPUs (compute capability 9.0): softmax(q·kᵀ / √128)·v per head of 128
// channels, bf16 with fp32 sums, no mask but a number of keys for each row. The keys and values of a row lie
// anywhere, in any order.
#pragma once

#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dit/attention_schedule.h"

namespace sdv2 {

constexpr int kQueryTile = 128;     // queries of a tile
constexpr int kSelfKeyBlock = 144;  // keys of a block: 6 frames of 30 × 52 tokens are exactly 65 blocks
constexpr int kTextKeyBlock = 128;

// The tensor maps of a row's keys and values.
struct KvMaps {
  CUtensorMap k, v;
};

// Memory for partial results, used by one attention at a time: two parts of a tile for each processor.
struct AttentionScratch {
  float4* sums = nullptr;  // attention_sum_bytes(processors): 128 queries × 128 channels of a part
  float2* norms =
      nullptr;  // attention_norm_bytes(processors): maximum and sum of two queries for each of 256 threads
};
constexpr int64_t attention_sum_bytes(int processors) {
  return int64_t{processors} * 2 * kQueryTile * 128 * static_cast<int64_t>(sizeof(float));
}
constexpr int64_t attention_norm_bytes(int processors) {
  return int64_t{processors} * 2 * 256 * 2 * static_cast<int64_t>(sizeof(float2));
}

struct AttentionCall {
  CUtensorMap queries;  // query_map() of q [rows, tokens, heads·128]
  const KvMaps* kv;     // device memory, [rows]: kv_map()s with blocks of the kind's size
  const int* valid;     // device memory, [rows]: the number of keys, 1 or more
  __nv_bfloat16* out;   // [rows, tokens, heads·128]
  int rows = 0;
  int heads = 0;
  int tokens = 0;  // queries of a row
  AttentionScratch scratch;
};

// Over the cached frames, in blocks of kSelfKeyBlock keys. `uniform`: all rows have equally many keys; this
// is faster, and wrong when it is not so.
cudaError_t launch_self_attention(const AttentionCall& call, bool uniform, int processors,
                                  cudaStream_t stream);

// Over the prompt, in blocks of kTextKeyBlock keys.
cudaError_t launch_text_attention(const AttentionCall& call, int processors, cudaStream_t stream);

}  // namespace sdv2
