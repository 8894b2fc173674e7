// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/stats_json.h"

#include <nlohmann/json.hpp>

#include "runtime/memory_use.h"

namespace sdv2 {

std::string stats_json(LoadedModel& model, const SessionSettings& settings, const SessionStats& stats) {
  using Json = nlohmann::json;
  Json stages = Json::array();
  for (const auto& stage : model.executor().times().summaries(stats.opened))
    stages.push_back({{"name", stage.name},
                      {"worker", stage.worker},
                      {"device", model.devices()[stage.worker].str()},
                      {"count", stage.count},
                      {"p50_ms", stage.p50_ms},
                      {"p95_ms", stage.p95_ms},
                      {"p99_ms", stage.p99_ms}});
  Json devices = Json::array();
  for (const auto& use : device_memory(model.devices()))
    devices.push_back({{"device", use.device.str()}, {"bytes", use.bytes}, {"peak_bytes", use.peak_bytes}});
  const auto ms = [&](double share) { return static_cast<double>(stats.latency_ns(share)) / 1e6; };
  return Json{{"stages", stages},
              {"latency", {{"p50_ms", ms(0.5)}, {"p95_ms", ms(0.95)}, {"p99_ms", ms(0.99)}}},
              {"first_frame_ms", static_cast<double>(stats.first_frame_ns) / 1e6},
              {"chunk_interval_ms", stats.chunk_interval_ns() / 1e6},
              {"generation", stats.generation},
              {"chunks",
               {{"submitted", stats.chunks_submitted},
                {"done", stats.chunks_done},
                {"failed", stats.chunks_failed},
                {"dropped", stats.chunks_dropped},
                {"skipped", stats.chunks_skipped},
                {"under_way", stats.chunks_under_way}}},
              {"frames", {{"in", stats.frames_in}, {"out", stats.frames_out}}},
              {"noise_scale", stats.noise_scale},
              {"rung", stats.rung},
              {"memory", {{"host_bytes", peak_host_memory()}, {"devices", devices}}},
              {"plan", model.route(settings.live.steps)->plan.to_string()},
              {"settings", Json::parse(to_json(settings))}}
      .dump();
}

}  // namespace sdv2
