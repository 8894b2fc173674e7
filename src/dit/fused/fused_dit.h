// SPDX-License-Identifier: LGPL-2.1-or-later
// The transformer on fused kernels: a run of its pieces for several rows at once, with the same results as
// CausalDit piece by piece but fewer roundings (modulation, residuals and norms are fp32 inside a kernel).
//
// Blocks whose linears are in fp8 (CausalDit::quantise) multiply in fp8: e4m3 with a factor for each token
// and for each channel of a weight; sums, attention and everything between stay as they are.
//
// Everything that changes from call to call - where caches lie, slots, positions, timesteps, prompts -
// reaches the device in one table, so that calls of the same form are one CUDA graph that is captured once. A
// call waits for nothing on the device, and allocates nothing there but its result.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dit/causal_dit.h"
#include "dit/fused/sink_report.h"
#include "dit/token_grid.h"

namespace sdv2 {

// How a chunk of one frame finds its slot where sinks are adaptive (stream/kv_ring.h): if the cache is full,
// the sink that is least similar replaces, when that is below the threshold, else the one that is pending.
struct SinkTest {
  int64_t sinks = 0;  // how many are compared; 0: none, the slot is known
  double threshold = -1;
  std::optional<int64_t> pending;
  bool full = false;
  // The sinks' mean keys and values, float [sinks or more, 2, heads·128]: what a call leaves there serves the
  // next one, unless it is stale (kernels/dit/adaptive_sinks.h).
  at::Tensor means;
  bool stale = true;
};

// A block's cache of one row, and where the chunk's keys and values go in it. k and v are [K·S, heads, 128],
// contiguous.
struct FusedKv {
  at::Tensor k, v;
  std::vector<int64_t> slots;  // of the chunk's frames; slot i is tokens i·S … (i+1)·S-1
  int64_t valid_tokens = 0;    // the first so many tokens are attended, those of the chunk included
  SinkTest test;               // when it compares sinks: `slots` holds only if it replaces none
};

// What a call does for one row.
struct FusedRow {
  at::Tensor input;               // latents [1, F, in_dim, h, w] when it embeds, else tokens [1, F·S, dim]
  int64_t start_frame = 0;        // the position of the first frame
  std::vector<double> timesteps;  // one per frame
  std::vector<FusedKv> kv;        // one per block of the range
  std::vector<TextKv> text;       // one per block: [1, text_len, heads, 128], contiguous
};

struct FusedCall {
  bool embed = false;  // latents to tokens first
  BlockRange blocks;
  bool head = false;  // tokens to flow at the end
  TokenGrid grid;     // of all rows
  std::vector<FusedRow> rows;
};

struct FusedResult {
  at::Tensor out;  // flow [R, F, out_dim, h, w] after a head, else tokens [R, F·S, dim]
  std::shared_ptr<const SinkReport> sinks;  // null when no row compares sinks
};

class FusedDit {
 public:
  virtual ~FusedDit() = default;

  // For calls from one thread and one stream (the current one) of the device. `dit` holds the weights of what
  // will be called, and outlives this. nullptr where there are no fused kernels (has_fused_kernels), or for
  // sizes that they do not have.
  static std::unique_ptr<FusedDit> create(const CausalDit& dit, at::Device device);

  // Whether create() makes one for a network of this configuration whose linears are in fp8. False in builds
  // without the kernels.
  static bool supports_fp8(const DitConfig& config, at::Device device);

  // Writes the caches. Everything that the rows refer to must stay until the stream is through with it.
  // Throws c10::Error.
  virtual FusedResult run(const FusedCall& call) = 0;
};

}  // namespace sdv2
