// SPDX-License-Identifier: LGPL-2.1-or-later
// Chunks of a golden case through the real engine: its chain, its executor, its caches. What the reference
// drew and decided is replayed; everything else the engine does by itself.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/noise_source.h"
#include "stream/chunk.h"
#include "stream/device_networks.h"
#include "tools/parity/engine_rows.h"
#include "tools/parity/outputs.h"
#include "tools/parity/stream_case.h"

namespace sdv2::parity {

// Draws by what they are for; zeros for what was not recorded (noise that mixes latents which are noisy
// already, and steps that the case ends before).
class RecordedNoise : public NoiseSource {
 public:
  void record(int64_t chunk, int64_t step, const at::Tensor& draw) { draws_[{chunk, step}] = draw; }
  Result<at::Tensor> draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                          at::Device device) override;

 private:
  std::map<std::pair<int64_t, int64_t>, at::Tensor> draws_;
};

// The draws of the first session in the reference's order, for so many chunks: the first chunk's steps from
// `first_step` on (0 mixes its latents, 1 is the first that is noised again); then, with every further chunk,
// its own mixing and one draw for each row that is noised again (with one row: for each step of the chunk).
std::shared_ptr<RecordedNoise> recorded_noise(const Case& golden, const StreamCase& config, int64_t chunks,
                                              int64_t first_step, at::Device device);

// The case's transformer, in a chain without encoder and decoder: latents in, latents out.
std::shared_ptr<DeviceNetworks> case_networks(const Case& golden, at::Device device);

// A chunk that goes in.
struct EngineChunk {
  at::Tensor pixels;   // [T, 3, H, W] in [-1, 1], or
  at::Tensor latents;  // [F, 16, h, w] for a chain without encoder
  NoiseLevels levels;  // recorded
  // Looks at the pictures before the recorded levels are used; may be empty. On a thread of the engine.
  std::function<void(const at::Tensor& pixels)> look;
};

// What became of it.
struct EngineResult {
  std::vector<at::Tensor> latents;  // [1, F, 16, h, w]: noisy, then behind every denoising step
  at::Tensor pixels;                // [T, 3, H, W] where the chain has a decoder
};

// Runs one stream from its start. `networks`: on one device, with or without encoder and decoder. The chunks
// are all given at once, to run as a stream batch or one after the other as the case does. Throws
// std::runtime_error when a chunk fails.
std::vector<EngineResult> run_engine(const Case& golden, const StreamCase& config,
                                     std::shared_ptr<const DeviceNetworks> networks,
                                     std::shared_ptr<NoiseSource> noise, std::vector<EngineChunk> chunks);

// The engine's rings for that configuration, without adaptive sinks.
KvRingConfig engine_ring(const ReferenceStreamConfig& config);

// Why the engine does not run streams of that configuration at all; nothing when it does.
std::optional<std::string> engine_refuses(const ReferenceStreamConfig& config);

// Outputs of the engine by name and row, [1, …] each; what is one whole has row 0 alone.
using EngineOutputs = std::map<std::string, std::map<int64_t, at::Tensor>>;

// Compares the untouched rows (engine_rows.h) of every expected output that can be seen outside the engine
// (not the flow of a step and the caches, which all later latents depend on), and adds to the report what was
// compared. `last_tick` as for engine_rows. Throws std::runtime_error when `got` lacks an untouched row.
void compare_engine(const Case& golden, const StreamCase& config, const EngineOutputs& got, int64_t last_tick,
                    BoundsOf bounds_of, Report& report);

}  // namespace sdv2::parity
