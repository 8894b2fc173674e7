// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds stream_batch and single_wo: chunks of latents through the reference's loop, one row per denoising
// step or all steps in one row.
#include <stdexcept>

#include "tools/parity/engine_stream.h"
#include "tools/parity/kinds.h"
#include "tools/parity/outputs.h"
#include "tools/parity/stream_case.h"
#include "tools/parity/stream_trace.h"

namespace sdv2::parity {
namespace {

using nlohmann::json;

// What a case's "tick" entries must be: "prepare", 1, 2, …, with "prepare2" where the second session begins.
std::vector<json> tick_order(size_t records, std::optional<int64_t> restart_before_tick) {
  std::vector<json> order = {"prepare"};
  for (int64_t tick = 1; order.size() < records; ++tick) {
    if (tick == restart_before_tick) order.emplace_back("prepare2");
    order.emplace_back(tick);
  }
  order.resize(records);
  return order;
}

void check_order(const json& ticks, const StreamCase& config) {
  const auto order = tick_order(ticks.size(), config.restart_before_tick);
  for (size_t i = 0; i < ticks.size(); ++i)
    if (ticks.at(i).at("tick") != order[i])
      throw std::runtime_error("ticks: entry " + std::to_string(i) + " is " + ticks.at(i).at("tick").dump() +
                               ", wanted " + order[i].dump());
}

at::Tensor latent_of(const Case& golden, const json& record, int64_t frames, at::Device device) {
  at::Tensor latent = device_input(golden, record.at("latent"), device);
  const auto& config = golden.json.at("config");
  const auto [h, w] = config.at("latent_hw").get<std::pair<int64_t, int64_t>>();
  if (latent.sizes() != at::IntArrayRef({1, frames, config.at("in_dim").get<int64_t>(), h, w}))
    throw std::runtime_error(record.at("latent").dump() + " has a shape that does not fit the config");
  return latent;
}

std::optional<double> current_step(const json& record) {
  const auto& step = record.at("current_step");
  return step.is_null() ? std::nullopt : std::optional(step.get<double>());
}

void keep_tick(const std::string& name, const ReferenceChunk& chunk, bool stream_batch, Outputs& out) {
  if (stream_batch) {
    out[name + ".hidden"] = chunk.rows;
    out[name + ".flow"] = chunk.passes.front().flow;
    return;
  }
  out[name + ".x0"] = chunk.finished();
  for (size_t step = 0; step < chunk.passes.size(); ++step)
    out[name + ".flow." + std::to_string(step)] = chunk.passes[step].flow;
}

Bounds bounds_of(const Case& golden, const std::string&) {
  return {tolerance_of(golden.json.at("tolerance")), golden.json.at("measured")};
}

// The same latents through the engine.
void run_in_engine(const Case& golden, const StreamCase& config, at::Device device, Report& report) {
  const auto& ticks = golden.json.at("ticks");
  // Of the first session; a chunk's number is that of the tick that it comes in.
  const auto last_tick = config.restart_before_tick ? *config.restart_before_tick - 1 : std::ssize(ticks) - 1;
  const int64_t chunks = std::min(untouched_chunks(config.stream), last_tick + 1);
  std::vector<EngineChunk> inputs;
  std::vector<double> timesteps = config.timesteps;
  for (int64_t i = 0; i < chunks; ++i) {
    const auto& record = ticks.at(static_cast<size_t>(i));
    const int64_t frames = i == 0 ? config.stream.first_frames() : config.stream.frames_per_chunk;
    if (const auto step = i == 0 ? std::nullopt : current_step(record)) timesteps.front() = *step;
    inputs.push_back({.latents = latent_of(golden, record, frames, device).squeeze(0),
                      .levels = {.noise_scale = 0, .timesteps = timesteps}});
  }
  const auto results =
      run_engine(golden, config, case_networks(golden, device),
                 recorded_noise(golden, config, last_tick + 1, 1, device), std::move(inputs));
  EngineOutputs out;
  for (int64_t i = 0; i < chunks; ++i) {
    const auto& latents = results[static_cast<size_t>(i)].latents;
    if (i == 0)
      out["prepare"][0] = latents.back();
    else if (!config.stream.stream_batch)
      out["tick." + std::to_string(i) + ".x0"][0] = latents.back();
    else
      for (int64_t row = 0; row < config.stream.rows(); ++row)
        out["tick." + std::to_string(i + row) + ".hidden"][row] = latents.at(static_cast<size_t>(row + 1));
  }
  const auto& last = ticks.back().at("tick");
  compare_engine(golden, config, out, last.is_number() ? last.get<int64_t>() : 0, bounds_of, report);
}

void run(const Case& golden, at::Device device, bool stream_batch, Report& report) {
  const StreamCase config = parse_stream_case(golden, stream_batch);
  const auto& ticks = golden.json.at("ticks");
  check_order(ticks, config);
  ReferenceNetwork network(golden, config.stream.ring, config.tokens_per_frame, device, report);
  NoiseTape noise(golden, device);
  ReferenceStream stream(network, config.stream, config.timesteps, noise);
  const bool low_precision = golden.type() != at::kFloat;

  Outputs out;
  for (const auto& record : ticks) {
    const auto& tick = record.at("tick");
    const bool first = tick.is_string();
    const int64_t frames = first ? config.stream.first_frames() : config.stream.frames_per_chunk;
    const at::Tensor noisy = latent_of(golden, record, frames, device);
    const auto chunk = first ? stream.first_chunk(noisy) : stream.next_chunk(noisy, current_step(record));
    const std::string name = first ? tick.get<std::string>() : "tick." + tick.dump();
    compare_chunk(name, chunk, noise.take_names(), record, low_precision, report);
    if (first)
      out[name] = chunk.finished();
    else
      keep_tick(name, chunk, stream_batch, out);
  }
  report.exact("noise_draws", noise.used_up(), "not all were drawn");
  keep_caches(network, out);
  compare_outputs(golden, out, bounds_of, report);
  if (!engine_refuses(config.stream)) run_in_engine(golden, config, device, report);
}

}  // namespace

void run_stream_batch(const Case& golden, at::Device device, Report& report) {
  run(golden, device, /*stream_batch=*/true, report);
}

void run_single_wo(const Case& golden, at::Device device, Report& report) {
  run(golden, device, /*stream_batch=*/false, report);
}

}  // namespace sdv2::parity
