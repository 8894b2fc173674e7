// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/reference_stream.h"

namespace sdv2::parity {

ReferenceStream::ReferenceStream(ReferenceNetwork& network, const ReferenceStreamConfig& config,
                                 std::vector<double> timesteps, NoiseTape& noise)
    : network_(network),
      config_(config),
      positions_(config),
      timesteps_(std::move(timesteps)),
      noise_(noise) {}

ReferenceChunk ReferenceStream::first_chunk(const at::Tensor& noisy) {
  network_.restart();
  positions_.begin_session();
  ReferenceChunk chunk{.timesteps = timesteps_};
  chunk.rows = all_steps(noisy, {0}, chunk);
  // All rows go on from the caches of the last step.
  network_.repeat(config_.rows());
  rows_ = at::zeros({config_.rows(), config_.frames_per_chunk, noisy.size(2), noisy.size(3), noisy.size(4)},
                    noisy.options());
  return chunk;
}

ReferenceChunk ReferenceStream::next_chunk(const at::Tensor& noisy, std::optional<double> timestep) {
  if (timestep) timesteps_.front() = *timestep;
  const auto& starts = positions_.next_chunk();
  ReferenceChunk chunk{.timesteps = timesteps_};
  if (!config_.stream_batch) {
    chunk.rows = all_steps(noisy, starts, chunk);
    return chunk;
  }
  const at::Tensor shifted = at::cat({noisy, rows_.narrow(0, 0, config_.rows() - 1)});
  auto rows = pass(shifted, timesteps_, starts, chunk).split(1);
  for (size_t i = 0; i + 1 < rows.size(); ++i) rows[i] = noised(rows[i], i + 1);
  rows_ = at::cat(rows);
  chunk.rows = rows_;
  return chunk;
}

// One forward pass of x [R, F, 16, h, w] → the clean latents.
at::Tensor ReferenceStream::pass(const at::Tensor& x, const std::vector<double>& timesteps,
                                 const std::vector<int64_t>& starts, ReferenceChunk& chunk) {
  const at::Tensor flow = network_.forward(x, timesteps, starts);
  ReferencePass record{starts, flow, {}};
  for (int64_t i = 0; i < network_.block_count(); ++i)
    record.blocks.push_back({network_.cache(i).ring(), network_.cache(i).similarity()});
  chunk.passes.push_back(std::move(record));
  return clean_rows(flow, x, timesteps);
}

// All steps one after the other, x [1, F, 16, h, w].
at::Tensor ReferenceStream::all_steps(at::Tensor x, const std::vector<int64_t>& starts,
                                      ReferenceChunk& chunk) {
  for (size_t step = 0; step < timesteps_.size(); ++step) {
    if (step > 0) x = noised(x, step);
    x = pass(x, {timesteps_[step]}, starts, chunk);
  }
  return x;
}

// Clean latents with fresh noise for a step.
at::Tensor ReferenceStream::noised(const at::Tensor& clean, size_t step) {
  return noised_rows(clean, noise_.next(clean.sizes()), {timesteps_[step]});
}

}  // namespace sdv2::parity
