// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the streams of sdv2-bench and puts their figures together.
#include "tools/bench/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <future>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "tools/bench/frames.h"
#include "tools/bench/output.h"
#include "tools/bench/stream.h"

namespace sdv2::bench {
namespace {

using Json = nlohmann::json;
using Streams = std::vector<std::unique_ptr<Stream>>;

constexpr std::chrono::seconds kProgressInterval{2};

Json settings_of(const LoadedModel& loaded, const Options& options, std::optional<int> steps, int stream) {
  Json settings = {{"width", loaded.width},         {"height", loaded.height},
                   {"capacity", options.capacity},  {"prompt", options.prompt},
                   {"seed", options.seed + stream}, {"execution", options.execution}};
  if (steps.has_value()) settings["steps"] = *steps;
  if (!options.degrade.empty()) settings["degrade"] = options.degrade;
  if (options.noise_scale.has_value()) settings["noise_scale"] = *options.noise_scale;
  return settings;
}

// But for the first of a stream.
double frames_per_chunk(const LoadedModel& loaded) { return 4.0 * loaded.info.value("chunk", 1); }

// Waits for the streams and tells every few seconds how far they are.
Result<void> run_streams(Streams& streams, int chunks, const std::string& title) {
  std::vector<std::future<Result<void>>> running;
  for (auto& stream : streams)
    running.push_back(std::async(std::launch::async, [raw = stream.get()] { return raw->run(); }));
  Result<void> first_error;
  for (auto& each : running) {
    while (each.wait_for(kProgressInterval) != std::future_status::ready) {
      int least = chunks > 0 ? chunks : std::numeric_limits<int>::max();
      for (const auto& stream : streams) least = std::min(least, stream->chunks_done());
      if (chunks > 0)
        std::fprintf(stderr, "%s: %d of %d chunks\n", title.c_str(), least, chunks);
      else
        std::fprintf(stderr, "%s: %d chunks\n", title.c_str(), least);
    }
    Result<void> result = each.get();
    if (!result.ok() && first_error.ok()) first_error = std::move(result);
  }
  return first_error;
}

// What the engine has to hold, when streams that do not fit are to be refused.
void ask_admission(Json& settings, const StreamPlan& plan) {
  settings["target_fps"] = plan.fps;
  settings["target_latency"] = static_cast<double>(plan.latency_ns) * 1e-6;
}

Result<Streams> open_streams(LoadedModel& loaded, const Options& options, std::optional<int> steps,
                             const StreamPlan& plan, Output* output) {
  Streams streams;
  for (int i = 0; i < options.streams; ++i) {
    StreamPlan own = plan;
    own.output = i == 0 ? output : nullptr;
    // Sources are not in step: spread over the time of a chunk.
    if (plan.fps > 0)
      own.phase_ns = static_cast<int64_t>(frames_per_chunk(loaded) * 1e9 / plan.fps * i / options.streams);
    Json settings = settings_of(loaded, options, steps, i);
    if (options.admit && plan.fps > 0) ask_admission(settings, plan);
    SDV2_TRY(auto stream, Stream::open(loaded.model, settings, own));
    streams.push_back(std::move(stream));
  }
  return streams;
}

Result<std::unique_ptr<FrameSource>> open_source(const LoadedModel& loaded, const Options& options) {
  if (!options.frames.empty()) return raw_file(options.frames, loaded.width, loaded.height);
  return moving_picture(loaded.width, loaded.height);
}

// One list of times from all streams.
Percentiles joined(const Streams& streams, std::vector<int64_t> StreamFigures::*times) {
  std::vector<int64_t> all;
  for (const auto& stream : streams) {
    const auto& own = stream->figures().*times;
    all.insert(all.end(), own.begin(), own.end());
  }
  return percentiles(std::move(all));
}

// The engine's stages as the first stream saw them.
void add_engine_stages(const Json& stats, std::vector<StageTimes>& stages) {
  for (const Json& stage : stats.value("stages", Json::array()))
    stages.push_back({stage.value("name", "?"),
                      stage.value("device", ""),
                      stage.value("worker", 0),
                      {stage.value("p50_ms", 0.0), stage.value("p95_ms", 0.0), stage.value("p99_ms", 0.0),
                       stage.value("count", int64_t{0})}});
}

RunResult figures_of(const Streams& streams, const Json& stats) {
  RunResult result;
  result.stages.push_back({"upload", "", -1, joined(streams, &StreamFigures::upload)});
  add_engine_stages(stats, result.stages);
  result.stages.push_back({"download", "", -1, joined(streams, &StreamFigures::download)});
  result.stages.push_back({"work", "", -1, joined(streams, &StreamFigures::work)});
  result.stages.push_back({"chunk", "", -1, joined(streams, &StreamFigures::chunk)});
  result.stages.push_back({"total", "", -1, joined(streams, &StreamFigures::total)});
  for (const auto& stream : streams) {
    const StreamFigures& figures = stream->figures();
    result.frames += figures.frames;
    result.fps += figures.fps;
    result.due += figures.due;
    result.met += figures.met;
    result.repeated += figures.repeated;
    result.source += figures.source;
    result.freeze_ms = std::max(result.freeze_ms, static_cast<double>(figures.freeze_ns) / 1e6);
    result.degraded_until_s =
        std::max(result.degraded_until_s, static_cast<double>(figures.degraded_until_ns) / 1e9);
    for (const auto& [rung, chunks] : figures.on_rung) result.on_rung[rung] += chunks;
    result.late_ms = std::max(result.late_ms, static_cast<double>(figures.late_ns) / 1e6);
    result.first_frame_ms =
        std::max(result.first_frame_ms, static_cast<double>(figures.first_frame_ns) / 1e6);
    result.checksums.push_back(figures.checksum.value());
  }
  result.checksum = result.checksums.front();
  if (result.checksums.size() > 1) {
    Checksum all;
    all.add({reinterpret_cast<const uint8_t*>(result.checksums.data()), 8 * result.checksums.size()});
    result.checksum = all.value();
  }
  result.host_peak_bytes = peak_host_bytes();
  const Json memory = stats.value("memory", Json::object());
  result.devices = memory.value("devices", Json::array());
  result.plan = stats.value("plan", Json());
  result.settings = stats.value("settings", Json::object());
  result.steps = result.settings.value("steps", 0);
  return result;
}

}  // namespace

Result<LoadedModel> load_model(const client::Engine& engine, const Options& options) {
  Json config = {{"model", options.model}, {"devices", options.devices}, {"precision", options.precision},
                 {"vae", options.vae},     {"kernels", options.kernels}, {"linears", options.linears},
                 {"plan", options.plan}};
  if (!options.fault.empty()) config["fault"] = options.fault;
  client::LoadObserver observer;
  const int64_t begin = now_ns();
  // Short loads are silent.
  observer.progress = [last = begin](const char* stage, int percent) mutable {
    if (now_ns() - last < std::chrono::nanoseconds(kProgressInterval).count()) return;
    last = now_ns();
    std::fprintf(stderr, "loading: %s, %d %%\n", stage, percent);
  };
  auto opened = engine.open_model(config.dump(), std::move(observer));
  if (!opened.ok()) return to_result(opened.status()).error();
  SDV2_CHECK(to_result(opened->wait()));
  const double load_ms = static_cast<double>(now_ns() - begin) / 1e6;
  const auto text = opened->info();
  if (!text.ok()) return to_result(text.status()).error();
  Json info = Json::parse(*text, nullptr, false);
  if (!info.is_object()) return Error{ErrorCode::kInternal, "the engine's model info is no JSON object"};
  const Json defaults = info.value("default", Json::object());
  const int width = options.width.value_or(defaults.value("width", 0));
  const int height = options.height.value_or(defaults.value("height", 0));
  if (width <= 0 || height <= 0)
    return Error{ErrorCode::kInvalidArgument, "the model tells no size; give one with --size"};
  return LoadedModel{*std::move(opened), std::move(info), load_ms, width, height};
}

Result<RunResult> run_once(LoadedModel& loaded, const Options& options, std::optional<int> steps) {
  const std::string title = steps.has_value() ? std::to_string(*steps) + " steps" : "run";
  SDV2_TRY(const auto source, open_source(loaded, options));
  StreamPlan plan{.width = loaded.width,
                  .height = loaded.height,
                  .chunks = options.warmup,
                  .capacity = options.capacity,
                  .source = source.get()};
  if (options.warmup > 0) {
    SDV2_TRY(Streams streams, open_streams(loaded, options, steps, plan, nullptr));
    SDV2_CHECK(run_streams(streams, options.warmup, title + ", warm-up"));
  }
  SDV2_TRY(const auto output, Output::open(options.dump, options.against));
  plan.chunks = options.chunks;
  plan.seconds = options.seconds;
  plan.fps = options.target_fps;
  plan.latency_ns = std::llround(options.target_latency_ms * 1e6);
  SDV2_TRY(Streams streams, open_streams(loaded, options, steps, plan, output.get()));
  SDV2_CHECK(run_streams(streams, options.chunks, title));
  SDV2_CHECK(output->finish());
  SDV2_TRY(const Json stats, streams.front()->stats());
  RunResult result = figures_of(streams, stats);
  if (const Difference* difference = output->difference(); difference != nullptr) {
    result.psnr = difference->psnr();
    result.largest_difference = difference->largest();
  }
  return result;
}

}  // namespace sdv2::bench
