// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds ring_traces and sink_traces: the reference's index logic over whole streams, without a network.
#include "tools/parity/index_trace.h"
#include "tools/parity/kinds.h"
#include "tools/parity/reference_schedule.h"

namespace sdv2::parity {
namespace {

std::optional<int64_t> optional_int(const nlohmann::json& config, const char* name) {
  const auto value = config.find(name);
  if (value == config.end() || value->is_null()) return std::nullopt;
  return value->get<int64_t>();
}

ReferenceRingConfig ring_config(const nlohmann::json& config) {
  return {.slots = config.at("K"),
          .sinks = config.at("M"),
          .sink_threshold = config.at("tau"),
          .steps = config.at("B")};
}

ReferenceScheduleConfig schedule_config(const nlohmann::json& config) {
  return {.slots = config.at("K"),
          .steps = config.at("B"),
          .frames_per_chunk = config.at("P"),
          .text_to_video = config.at("t2v"),
          .stream_batch = !config.at("no_batch").get<bool>(),
          .refresh_at = optional_int(config, "rope_refresh"),
          .restart_before_tick = optional_int(config, "restart_before_tick")};
}

int64_t last_tick(const nlohmann::json& rows) {
  const auto& tick = rows.back().at("tick");
  return tick.is_number() ? tick.get<int64_t>() : 0;
}

void run_trace(const std::string& name, const nlohmann::json& trace, Report& report) {
  const auto& config = trace.at("config");
  const auto& records = trace.at("rows");
  const auto passes = reference_schedule(schedule_config(config), last_tick(records));
  if (passes.size() != records.size()) {
    report.exact(name, false,
                 std::to_string(passes.size()) + " forward passes, wanted " + std::to_string(records.size()));
    return;
  }
  const size_t blocks = trace.contains("network") ? trace.at("network").at("num_layers").get<size_t>() : 1;
  std::vector<ReferenceRing> rings(blocks, ReferenceRing(ring_config(config)));
  for (size_t i = 0; i < passes.size(); ++i) {
    const auto& pass = passes[i];
    const auto& record = records[i];
    const std::string what = name + " tick " + pass.tick + " step " + std::to_string(pass.step);
    const auto& tick = record.at("tick");
    report.exact(what + " order", pass.tick == (tick.is_string() ? tick.get<std::string>() : tick.dump()) &&
                                      pass.step == record.at("step"));
    report.exact(what + " start", pass.starts == record.at("start").get<std::vector<int64_t>>());
    for (size_t b = 0; b < blocks; ++b) {
      ReferenceRing& ring = rings[b];
      const auto& block = block_record(record, b);
      if (pass.new_session) ring.restart();
      if (pass.starts.size() > ring.rows().size()) ring.repeat(pass.starts.size());
      ring.update(pass.starts, pass.frames, block.value("similarity", std::vector<std::vector<double>>{}));
      compare_index(what + " block " + std::to_string(b), ring, block, report);
    }
  }
}

}  // namespace

void run_ring_traces(const Case& golden, at::Device, Report& report) {
  const auto& traces = golden.json.at("traces");
  for (size_t i = 0; i < traces.size(); ++i) run_trace("trace " + std::to_string(i), traces[i], report);
}

}  // namespace sdv2::parity
