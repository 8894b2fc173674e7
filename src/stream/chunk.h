// SPDX-License-Identifier: LGPL-2.1-or-later
// A chunk on its way through the chain: what was decided when it was submitted, and what travels with it from
// segment to segment.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "diffusion/guidance.h"
#include "diffusion/noise_source.h"
#include "runtime/device_stream.h"
#include "stream/execution.h"
#include "stream/plan.h"
#include "stream/prompt.h"
#include "stream/stream_state.h"

namespace sdv2 {

// A plan with its segments, shared by the chunks that follow it.
struct Route {
  Plan plan;
  std::vector<Segment> segments;

  explicit Route(Plan cut) : plan(std::move(cut)), segments(plan.segments()) {}
  int steps() const { return plan.shape().steps; }
};

// What a chunk brings for its first unit.
struct ChunkSource {
  // The chunk's pictures [T, 3, H, W] in [-1, 1] on that device; called once, on the worker of the first
  // unit.
  std::function<at::Tensor(at::Device, at::ScalarType)> pixels;
  // For a chain without encoder: latents [F, 16, h, w] instead.
  at::Tensor latents;
};

// The noise of a chunk and the timesteps that the model is told, one per step.
struct NoiseLevels {
  double noise_scale = 0;
  std::vector<double> timesteps;
};

// Whether a chunk may follow the chunk before it closely.
enum class Follows : uint8_t {
  kPipelined,  // unit by unit
  kDenoised,   // denoising begins when the chunk before is denoised
  kFinished,   // nothing begins before the chunk before is finished
};

struct Chunk {
  // ---- decided when submitted
  uint64_t session = 0;                                       // identity
  int64_t deadline_ns = std::numeric_limits<int64_t>::max();  // CLOCK_MONOTONIC
  uint64_t order = 0;                                         // of submission to the executor
  int64_t index = 0;                                          // in its stream; 0 is the first
  int64_t frames = 0;                                         // latent frames
  std::shared_ptr<StreamState> stream;
  std::shared_ptr<const Route> route;
  Follows follows = Follows::kPipelined;
  Execution execution = Execution::kAuto;
  int priority = 0;              // higher matters more, when not all deadlines can hold
  bool spare = false;            // it is left out to save time, unless the picture would stand too long
  bool may_be_given_up = false;  // it is left out when it cannot be in time any more before it has begun
  ChunkSource source;
  // Takes the pictures (nothing when the chunk is skipped) and decides the noise; called once, on the worker
  // of the first unit, in the order of the chunks. No levels: the chunk is skipped.
  std::function<std::optional<NoiseLevels>(const at::Tensor& pixels)> decide;
  std::shared_ptr<NoiseSource> noise;
  std::shared_ptr<Prompt> prompt;
  std::shared_ptr<Prompt> negative_prompt;  // when guidance needs it
  Guidance guidance;
  double sink_threshold = -1;
  bool clear_cache = false;
  // Lanes of these steps begin as copies of the lane of step `copy_from` (before it takes this chunk).
  std::vector<int> copied_steps;
  int copy_from = 0;
  bool fresh_negative = false;  // the negative branch begins as a copy of the positive one
  // Takes the pictures [T, 3, h·8, w·8] (latents [F, 16, h, w] of a chain without decoder), on the worker of
  // the last unit, with its stream current; not called when the chunk is skipped.
  std::function<void(const at::Tensor& result)> deliver;
  // From a thread of the executor, exactly once, when everything that deliver() enqueued is done, or why it
  // never will be; in the order of the stream's chunks, but for those that were skipped before they began.
  std::function<void(Chunk& chunk, const Result<void>& result)> finish;

  // ---- travels
  NoiseLevels levels;
  bool skipped = false;              // nothing is computed (any more); may be set before it is submitted
  bool left_out = false;             // skipped before it began, as spare or given up
  at::Tensor x;                      // activations between layers of encoder or decoder
  at::Tensor latent;                 // [1, F, 16, h, w]: noisy, then clean
  at::Tensor encoded;                // the encoded pictures, for self-negative guidance
  at::Tensor negative_clean;         // of a one-time negative pass
  std::array<at::Tensor, 2> tokens;  // per branch, inside a step: [1, F·S, dim]
  Mark mark;                         // behind what has been enqueued for this chunk
  Mark behind;                       // and for the chunk before, when this one copies or moves what it left
  std::chrono::steady_clock::time_point started{};
  std::atomic<bool> abandoned = false;  // set by any thread: stop at the next unit

  // ---- of the executor, under its lock
  size_t next_segment = 0;
  bool running = false;

  bool given_up() const { return left_out && !spare; }
};

}  // namespace sdv2
