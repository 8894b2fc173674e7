// SPDX-License-Identifier: LGPL-2.1-or-later
// Which charts tell what a run was like.
#include <functional>
#include <map>

#include "tools/sim/chart.h"
#include "tools/sim/report.h"

namespace sdv2::sim {
namespace {

const char* color_of(Policy policy) {
  switch (policy) {
    case Policy::kSlo:
      return "#0a7d3c";
    case Policy::kStatic:
      return "#b06000";
    case Policy::kThreshold:
      return "#1f5fb4";
    case Policy::kNone:
      return "#a02050";
  }
  return "#000";
}

Line over_time(const RunResult& run, const std::function<double(const SecondOfRun&)>& value) {
  Line line{to_string(run.policy), color_of(run.policy), {}};
  for (size_t i = 0; i < run.seconds.size(); ++i) line.points.emplace_back(i, value(run.seconds[i]));
  return line;
}

std::vector<Line> over_streams(const std::vector<RunResult>& runs,
                               const std::function<double(const RunResult&)>& value) {
  std::map<Policy, Line> lines;
  for (const RunResult& run : runs) {
    Line& line = lines[run.policy];
    line.name = to_string(run.policy);
    line.color = color_of(run.policy);
    line.points.emplace_back(run.streams, value(run));
  }
  std::vector<Line> list;
  for (auto& [policy, line] : lines) list.push_back(std::move(line));
  return list;
}

}  // namespace

std::string time_plot(const Options& options, const std::vector<RunResult>& runs) {
  double target_ms = 0;
  for (const StreamKind& kind : options.streams) target_ms = std::max(target_ms, kind.latency_s * 1e3);
  Chart met{.title = "chunks in time, % of those due in the second", .x_label = "seconds", .y_most = 100};
  Chart latency{
      .title = "worst latency of a restyled chunk, ms", .x_label = "seconds", .y_most = 4 * target_ms};
  Chart rungs{.title = "rungs of quality given up, mean per stream (slo)", .x_label = "seconds", .y_most = 5};
  for (const RunResult& run : runs) {
    met.lines.push_back(over_time(run, [](const SecondOfRun& second) {
      return second.due == 0 ? 100
                             : 100.0 * static_cast<double>(second.met) / static_cast<double>(second.due);
    }));
    latency.lines.push_back(
        over_time(run, [](const SecondOfRun& second) { return second.worst_latency_s * 1e3; }));
    if (run.policy == Policy::kSlo)
      rungs.lines.push_back(
          over_time(run, [&](const SecondOfRun& second) { return second.rungs / std::max(run.streams, 1); }));
  }
  std::vector<Chart> charts{met, latency};
  if (!rungs.lines.empty()) charts.push_back(rungs);
  for (Chart& chart : charts)
    for (const SlowTime& slow : options.slow)
      chart.bands.emplace_back(slow.begin_s, slow.begin_s + slow.seconds);
  return svg(charts);
}

std::string sweep_plot(const std::vector<RunResult>& runs) {
  return svg({{.title = "chunks in time, %",
               .x_label = "streams",
               .y_most = 100,
               .lines = over_streams(runs, [](const RunResult& run) { return 100 * run.attainment(); })},
              {.title = "latency, 99th percentile, ms",
               .x_label = "streams",
               .y_most = 2000,
               .lines = over_streams(runs, [](const RunResult& run) { return run.latency_p99_s * 1e3; })},
              {.title = "GPU busy, %",
               .x_label = "streams",
               .y_most = 100,
               .lines = over_streams(runs, [](const RunResult& run) { return run.utilisation * 100; })}});
}

}  // namespace sdv2::sim
