// SPDX-License-Identifier: LGPL-2.1-or-later
// The loop of the reference implementation over the causal transformer: noisy latents in, denoised latents
// out, with what the engine does differently on purpose. Kept are:
//   * rows that no chunk has reached are computed on zeros and then on what comes of them; they write the
//     caches and take part in sink refreshes;
//   * the first timestep of the last chunk stays in the list, also for the next session's first chunk;
//   * lists of slots outlive a session, never hold the first three frames, and a chunk of
//   several
//     steps in one row slips into a second slot once the cache is full: ReferenceRing;
//   * after a position refresh the cached keys stay rotated to their old positions.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "tools/parity/noise_tape.h"
#include "tools/parity/reference_network.h"
#include "tools/parity/reference_positions.h"

namespace sdv2::parity {

// A block's bookkeeping after a forward pass, and what it compared its sinks with.
struct ReferenceBlock {
  ReferenceRing ring;
  std::vector<std::vector<double>> similarity;
};

struct ReferencePass {
  std::vector<int64_t> starts;  // [R]
  at::Tensor flow;              // [R, F, 16, h, w]
  std::vector<ReferenceBlock> blocks;
};

struct ReferenceChunk {
  std::vector<double> timesteps;      // the list of denoising steps that held
  std::vector<ReferencePass> passes;  // one, or one per denoising step where these are not batched
  at::Tensor rows;  // [R, F, 16, h, w]: clean chunk in the last row, noised for the next step in the others

  at::Tensor finished() const { return rows.narrow(0, rows.size(0) - 1, 1); }
};

class ReferenceStream {
 public:
  // `network` and `noise` must outlive the stream.
  ReferenceStream(ReferenceNetwork& network, const ReferenceStreamConfig& config,
                  std::vector<double> timesteps, NoiseTape& noise);

  // Begins a session: caches and rows are dropped, then the first chunk, noisy [1, F, 16, h, w], goes through
  // all denoising steps in one row.
  ReferenceChunk first_chunk(const at::Tensor& noisy);

  // A further chunk. `timestep`: of its first step; without it the list stays as it is.
  ReferenceChunk next_chunk(const at::Tensor& noisy, std::optional<double> timestep);

 private:
  at::Tensor pass(const at::Tensor& x, const std::vector<double>& timesteps,
                  const std::vector<int64_t>& starts, ReferenceChunk& chunk);
  at::Tensor all_steps(at::Tensor x, const std::vector<int64_t>& starts, ReferenceChunk& chunk);
  at::Tensor noised(const at::Tensor& clean, size_t step);

  ReferenceNetwork& network_;
  ReferenceStreamConfig config_;
  ReferencePositions positions_;
  std::vector<double> timesteps_;
  NoiseTape& noise_;
  at::Tensor rows_;  // of the stream batch
};

}  // namespace sdv2::parity
