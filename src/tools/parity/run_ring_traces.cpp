// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds ring_traces and sink_traces: the reference's index logic over whole streams, without a network.
#include "tools/parity/engine_ring.h"
#include "tools/parity/index_trace.h"
#include "tools/parity/kinds.h"
#include "tools/parity/reference_positions.h"

namespace sdv2::parity {
namespace {

std::optional<int64_t> optional_int(const nlohmann::json& config, const char* name) {
  const auto value = config.find(name);
  if (value == config.end() || value->is_null()) return std::nullopt;
  return value->get<int64_t>();
}

ReferenceStreamConfig stream_config(const nlohmann::json& config) {
  return {.ring = {.slots = config.at("K"),
                   .sinks = config.at("M"),
                   .sink_threshold = config.at("tau"),
                   .steps = config.at("B")},
          .frames_per_chunk = config.at("P"),
          .text_to_video = config.at("t2v"),
          .stream_batch = !config.at("no_batch").get<bool>(),
          .refresh_at = optional_int(config, "rope_refresh")};
}

// Runs a trace's records in their order.
class Trace {
 public:
  Trace(std::string name, const nlohmann::json& json, Report& report)
      : name_(std::move(name)),
        records_(json.at("rows")),
        config_(stream_config(json.at("config"))),
        rings_(json.contains("network") ? json.at("network").at("num_layers").get<size_t>() : 1,
               ReferenceRing(config_.ring)),
        engine_(config_, rings_.size()),
        report_(report) {}

  void run(std::optional<int64_t> restart_before_tick) {
    const auto& last = records_.back().at("tick");
    const int64_t ticks = last.is_number() ? last.get<int64_t>() : 0;
    ReferencePositions positions(config_);
    run_chunk("prepare", 0, config_.ring.steps, config_.first_frames(), {0});
    for (int64_t tick = 1; tick <= ticks; ++tick) {
      if (tick == restart_before_tick) {
        for (auto& ring : rings_) ring.restart();
        positions.begin_session();
        run_chunk("prepare2", kNotInEngine, config_.ring.steps, config_.first_frames(), {0});
      }
      if (tick == 1 || tick == restart_before_tick)
        for (auto& ring : rings_) ring.repeat(static_cast<size_t>(config_.rows()));
      const bool second = restart_before_tick && tick >= *restart_before_tick;
      run_chunk(tick, second ? kNotInEngine : tick, config_.stream_batch ? 1 : config_.ring.steps,
                config_.frames_per_chunk, positions.next_chunk());
    }
    report_.exact(name_ + " forward passes", next_ == records_.size(),
                  std::to_string(next_) + ", wanted " + std::to_string(records_.size()));
  }
  const EngineRings& engine() const { return engine_; }

 private:
  static constexpr int64_t kNotInEngine = -1;  // a second session is touched by quirks from its start

  void run_chunk(const nlohmann::json& tick, int64_t engine_tick, int64_t passes, int64_t frames,
                 const std::vector<int64_t>& starts) {
    for (int64_t step = 0; step < passes; ++step) {
      const auto& record = records_.at(next_++);
      const std::string what = name_ + " tick " + tick.dump() + " step " + std::to_string(step);
      report_.exact(what + " order", record.at("tick") == tick && record.at("step") == step);
      report_.exact(what + " start", record.at("start") == starts);
      for (size_t b = 0; b < rings_.size(); ++b) {
        const auto& block = block_record(record, b);
        rings_[b].update(starts, frames, block.value("similarity", std::vector<std::vector<double>>{}));
        compare_index(what + " block " + std::to_string(b), rings_[b], block, report_);
      }
      if (engine_tick != kNotInEngine) engine_.compare(what, record, engine_tick, step, report_);
    }
  }

  std::string name_;
  const nlohmann::json& records_;
  ReferenceStreamConfig config_;
  std::vector<ReferenceRing> rings_;  // one per block
  EngineRings engine_;
  Report& report_;
  size_t next_ = 0;
};

}  // namespace

void run_ring_traces(const Case& golden, at::Device, Report& report) {
  const auto& traces = golden.json.at("traces");
  int64_t compared = 0, of = 0;
  for (size_t i = 0; i < traces.size(); ++i) {
    Trace trace("trace " + std::to_string(i), traces[i], report);
    trace.run(optional_int(traces[i].at("config"), "restart_before_tick"));
    compared += trace.engine().compared();
    of += trace.engine().of();
  }
  report.ran_engine(std::to_string(compared) + " of " + std::to_string(of) +
                    " updates of rings (first sessions); quirks touch the others");
}

}  // namespace sdv2::parity
