// SPDX-License-Identifier: LGPL-2.1-or-later
// Places a frame's keys and values in caches whose sinks are renewed when they resemble the frame too little
// (adaptive sinks, stream/kv_ring.h): the choice of the slot falls on the GPU, so that nobody waits for it.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dit/token_ops.h"

namespace sdv2 {

// What decides over a row's slot: `pending`, or the sink that is least similar when that is below the
// threshold, if the cache is full; else `next_slot`.
struct SinkChoice {
  double threshold = -1;
  int sinks = 0;      // slots 0 … sinks-1 are compared; 0: the slot is next_slot
  int next_slot = 0;  // of those that are overwritten in turn
  int pending = -1;   // a sink that is to be replaced already, or -1
  int full = 0;       // the cache has no free slot
  // Device memory [sinks, 2, width]: the sinks' mean keys and values, which stay from call to call. They are
  // made anew when they are stale: whenever something else has changed the sinks, or how many are compared.
  float* means = nullptr;
  int stale = 1;
};

struct AdaptiveSinks {
  const __nv_bfloat16* products = nullptr;  // [M, 3·width]: q, normed and rotated k, v
  const RingPointers* rings = nullptr;      // device memory, [rows]
  const SinkChoice* choices = nullptr;      // device memory, [rows]
  int sinks = 0;                            // the most that a row compares, 1 or more
  float* scratch = nullptr;                 // adaptive_sink_floats(rows, sinks, width)
  float* similarity = nullptr;  // [rows, sinks]: what was compared, as sink_similarity() defines it
};
constexpr int kMaxSinks = 64;
// Of each row: the frame's mean key and value, and the sums that similarities are made of, for every 32
// channels.
__host__ __device__ constexpr int64_t adaptive_sink_floats(int64_t rows, int64_t sinks, int64_t width) {
  return rows * 2 * (width + width / 32 * sinks * 3);
}

// Rows of one frame each, kMaxSinks sinks at most; widths are multiples of 64. The same numbers give the same
// choice.
cudaError_t launch_place_with_adaptive_sinks(const AdaptiveSinks& op, const TokenShape& shape,
                                             cudaStream_t stream);

}  // namespace sdv2
