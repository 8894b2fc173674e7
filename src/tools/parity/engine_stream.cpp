// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/engine_stream.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "stream/chunk_sequence.h"
#include "stream/executor.h"
#include "tools/parity/noise_tape.h"
#include "tools/parity/reference_network.h"
#include "weights/formula_source.h"

namespace sdv2::parity {
namespace {

StreamShape shape_of(const Case& golden, const StreamCase& config, const DeviceNetworks& networks) {
  const auto [h, w] = golden.json.at("config").at("latent_hw").get<std::pair<int64_t, int64_t>>();
  return {.encoder_layers = static_cast<int>(networks.encoder.layer_count()),
          .decoder_layers = static_cast<int>(networks.decoder.layer_count()),
          .blocks = static_cast<int>(networks.dit.config().num_layers),
          .heads = networks.dit.config().num_heads,
          .latent_height = h,
          .latent_width = w,
          .ring = engine_ring(config.stream)};
}

std::shared_ptr<const Route> route_of(const StreamShape& shape, const StreamCase& config) {
  return std::make_shared<Route>(Plan::single({.encoder_layers = shape.encoder_layers,
                                               .blocks = shape.blocks,
                                               .steps = static_cast<int>(config.timesteps.size()),
                                               .decoder_layers = shape.decoder_layers}));
}

// Whether an expected output leaves the engine.
bool is_visible(const std::string& name) {
  if (name.ends_with(".fp32")) return false;
  return name.starts_with("prepare") || name.starts_with("chunk.") || name.ends_with(".hidden") ||
         name.ends_with(".x0");
}

// How many chunks are finished, and the first error.
class Finish {
 public:
  void one(const Result<void>& result) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (!result.ok() && first_.ok()) first_ = result;
    changed_.notify_all();
  }
  Result<void> wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
    return first_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_ = 0;
  Result<void> first_;
};

}  // namespace

KvRingConfig engine_ring(const ReferenceStreamConfig& config) {
  // Without a refresh: at a frame that no stream of a case reaches.
  constexpr int64_t kNever = int64_t{1} << 40;
  return {.slots = config.ring.slots,
          .sinks = config.ring.sinks,
          .refresh_at = config.refresh_at.value_or(kNever)};
}

Result<at::Tensor> RecordedNoise::draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                                       at::Device device) {
  const auto found = draws_.find({static_cast<int64_t>(key.chunk), static_cast<int64_t>(key.step)});
  if (found == draws_.end()) return at::zeros(shape, at::TensorOptions(type).device(device));
  return found->second.to(device, type).view(shape);
}

std::shared_ptr<RecordedNoise> recorded_noise(const Case& golden, const StreamCase& config, int64_t chunks,
                                              int64_t first_step, at::Device device) {
  auto noise = std::make_shared<RecordedNoise>();
  NoiseTape tape(golden, device);
  const auto& json = golden.json.at("config");
  const auto [h, w] = json.at("latent_hw").get<std::pair<int64_t, int64_t>>();
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t frames = chunk == 0 ? config.stream.first_frames() : config.stream.frames_per_chunk;
    const bool by_row = chunk > 0 && config.stream.stream_batch;
    for (int64_t step = first_step; step < std::ssize(config.timesteps); ++step) {
      const at::Tensor draw = tape.next({1, frames, json.at("in_dim").get<int64_t>(), h, w});
      const int64_t of_chunk = by_row && step > 0 ? chunk - step + 1 : chunk;
      // Rows that no chunk has reached draw too.
      if (of_chunk > 0 || chunk == 0) noise->record(of_chunk, step, draw);
    }
  }
  return noise;
}

std::shared_ptr<DeviceNetworks> case_networks(const Case& golden, at::Device device) {
  CausalDit dit(case_dit_config(golden));
  FormulaSource weights(golden.seed());
  const auto loaded = dit.load(DitPart::all(dit.config()), weights, golden.type(), device);
  if (!loaded.ok()) throw std::runtime_error(loaded.error().message);
  return std::make_shared<DeviceNetworks>(DeviceNetworks{
      .device = device, .type = golden.type(), .dit = std::move(dit), .encoder = {}, .decoder = {}});
}

std::vector<EngineResult> run_engine(const Case& golden, const StreamCase& config,
                                     std::shared_ptr<const DeviceNetworks> networks,
                                     std::shared_ptr<NoiseSource> noise, std::vector<EngineChunk> chunks) {
  const StreamShape shape = shape_of(golden, config, *networks);
  const auto route = route_of(shape, config);
  const auto stream = std::make_shared<StreamState>(shape);
  const auto prompt = std::make_shared<Prompt>(1, shape.blocks);
  prompt->resolve(case_prompt(golden, networks->device));

  std::vector<EngineResult> results(chunks.size());
  Finish finish;
  const FlowMatchTable table;
  // One stream: the order is given, whatever its work costs.
  const auto any_cost = [](const CostKey&) { return AffineCost{1e-3, 1e-3}; };
  Executor executor({networks}, {IncomingLinks()}, table, any_cost);
  // One worker runs all: no two chunks are seen at once.
  executor.set_watch([&](size_t, std::span<Chunk* const> batch) {
    for (const Chunk* chunk : batch)
      if (chunk->latent.defined())
        results[static_cast<size_t>(chunk->index)].latents.push_back(chunk->latent);
  });
  for (size_t i = 0; i < chunks.size(); ++i) {
    EngineChunk& in = chunks[i];
    auto chunk = std::make_shared<Chunk>();
    chunk->index = static_cast<int64_t>(i);
    chunk->frames = i == 0 ? config.stream.first_frames() : config.stream.frames_per_chunk;
    chunk->stream = stream;
    chunk->route = route;
    chunk->execution = config.stream.stream_batch ? Execution::kThroughput : Execution::kLatency;
    if (in.pixels.defined())
      chunk->source.pixels = [pixels = in.pixels](at::Device, at::ScalarType) { return pixels; };
    else
      chunk->source.latents = in.latents;
    chunk->decide = [&in](const at::Tensor& pixels) -> std::optional<NoiseLevels> {
      if (in.look) in.look(pixels);
      return in.levels;
    };
    chunk->noise = noise;
    chunk->prompt = prompt;
    chunk->sink_threshold = config.stream.ring.sink_threshold;
    chunk->deliver = [&result = results[i], decoded = shape.decoder_layers > 0](const at::Tensor& out) {
      if (decoded)
        result.pixels = out;
      else
        result.latents.push_back(out.unsqueeze(0));
    };
    chunk->finish = [&finish](Chunk&, const Result<void>& result) { finish.one(result); };
    inherit_lanes(*chunk, i == 0 ? nullptr : route.get());
    executor.submit(std::move(chunk));
  }
  if (const auto done = finish.wait(chunks.size()); !done.ok())
    throw std::runtime_error("engine: " + done.error().message);
  return results;
}

std::optional<std::string> engine_refuses(const ReferenceStreamConfig& config) {
  const auto ring = KvRing::create(engine_ring(config));
  return ring.ok() ? std::nullopt : std::optional(ring.error().message);
}

void compare_engine(const Case& golden, const StreamCase& config, const EngineOutputs& got, int64_t last_tick,
                    BoundsOf bounds_of, Report& report) {
  int64_t compared = 0, all = 0;
  for (const auto& [name, want] : golden.expected) {
    if (!is_visible(name)) continue;
    const bool by_row = name.ends_with(".hidden");
    all += by_row ? want.size(0) : 1;
    const auto rows = engine_rows(config.stream, name, last_tick, config.restart_before_tick.value_or(0));
    if (rows.empty()) continue;
    std::vector<at::Tensor> parts;
    for (const int64_t row : rows) {
      const auto output = got.find(name);
      if (output == got.end() || !output->second.contains(row))
        throw std::runtime_error("engine: no row " + std::to_string(row) + " of " + name);
      parts.push_back(output->second.at(row));
    }
    compared += std::ssize(rows);
    const auto part_of = [&](const at::Tensor& whole) {
      return by_row ? whole.index_select(0, at::tensor(rows, at::kLong)) : whole;
    };
    const Bounds bounds = bounds_of(golden, name);
    const auto twin = golden.expected.find(name + ".fp32");
    if (twin == golden.expected.end())
      report.compare("engine " + name, at::cat(parts), part_of(want), bounds.tolerance);
    else
      report.compare("engine " + name, at::cat(parts), part_of(want), bounds.tolerance, part_of(twin->second),
                     bounds.measured.at("rel_l2").get<double>());
  }
  std::string text =
      std::to_string(compared) + " of " + std::to_string(all) + " rows of latents and pictures";
  if (compared < all)
    text += config.stream.stream_batch
                ? "; quirks touch the others"
                : "; the others need one cache for all steps, where the engine has one for each";
  report.ran_engine(text);
}

}  // namespace sdv2::parity
