// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

namespace sdv2::sim {
namespace {

using Json = nlohmann::json;

// The attainment that counts as serving a load.
constexpr double kServed = 0.999;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// The most streams that each policy serves, at full quality or at any, of the loads that were tried.
std::map<Policy, int> most_served(const std::vector<RunResult>& runs, double full_quality) {
  std::map<Policy, int> most;
  for (const RunResult& run : runs) {
    int& best = most[run.policy];
    if (run.attainment() >= kServed && run.full_quality >= full_quality) best = std::max(best, run.streams);
  }
  return most;
}

}  // namespace

std::string table_report(const Options& options, const std::vector<RunResult>& runs) {
  std::string text = std::to_string(options.gpu_count()) + " GPU" + (options.gpu_count() == 1 ? "" : "s") +
                     ", " +
                     (options.recorded.empty() ? format("roofline x %.2f", options.costs.efficiency)
                                               : "costs of " + options.recorded) +
                     ", " + options.costs.model + ", " + options.costs.vae + ", " +
                     format("%.0f s, placement ", options.seconds) + runs.front().placement + "\n\n";
  text +=
      "policy     streams   met %  filled %  late %  p50 ms  p95 ms  p99 ms  max ms  freeze s  busy %  rows";
  text += "  changes  full quality %\n";
  for (const RunResult& run : runs)
    text +=
        format("%-9s %8d %7.2f %9.2f %7.2f %7.0f %7.0f %7.0f %7.0f %9.2f %7.1f %5.2f %8lld %15.1f\n",
               to_string(run.policy), run.streams, share(run.met, run.chunks), share(run.filled, run.chunks),
               share(run.late, run.chunks), run.latency_p50_s * 1e3, run.latency_p95_s * 1e3,
               run.latency_p99_s * 1e3, run.latency_max_s * 1e3, run.longest_freeze_s, run.utilisation * 100,
               run.rows_per_batch, static_cast<long long>(run.quality_changes), run.full_quality * 100);
  for (const RunResult& run : runs) {
    if (run.recovered_s >= 0 && run.policy == Policy::kSlo)
      text += format("\nslo: full quality for all is back %.1f s after the slow time", run.recovered_s);
    if (run.refused > 0)
      text += "\n" + std::string(to_string(run.policy)) + ": " + std::to_string(run.refused) + " of " +
              std::to_string(run.refused + run.streams) + " streams refused; the first: " + run.refusal;
  }
  if (options.sweep) {
    for (const double full_quality : {kServed, 0.0}) {
      text += "\nmost streams with 99.9 % of deadlines met, ";
      text += full_quality > 0 ? "at full quality:" : "at any quality: ";
      for (const auto& [policy, streams] : most_served(runs, full_quality))
        text += std::string("  ") + to_string(policy) + " " + std::to_string(streams);
    }
  }
  if (text.back() != '\n') text += '\n';
  return text;
}

std::string json_report(const Options& options, const std::vector<RunResult>& runs) {
  Json list = Json::array();
  for (const RunResult& run : runs) {
    Json json = {{"policy", to_string(run.policy)},
                 {"streams", run.streams},
                 {"refused", run.refused},
                 {"placement", run.placement},
                 {"chunks", run.chunks},
                 {"met", run.met},
                 {"late", run.late},
                 {"filled", run.filled},
                 {"attainment", run.attainment()},
                 {"latency_ms",
                  {{"p50", run.latency_p50_s * 1e3},
                   {"p95", run.latency_p95_s * 1e3},
                   {"p99", run.latency_p99_s * 1e3},
                   {"max", run.latency_max_s * 1e3}}},
                 {"longest_freeze_s", run.longest_freeze_s},
                 {"utilisation", run.utilisation},
                 {"rows_per_batch", run.rows_per_batch},
                 {"quality_changes", run.quality_changes},
                 {"full_quality", run.full_quality},
                 {"recovered_s", run.recovered_s < 0 ? Json() : Json(run.recovered_s)}};
    if (run.refused > 0) json["refusal"] = run.refusal;
    Json seconds = Json::array();
    for (const SecondOfRun& second : run.seconds)
      seconds.push_back({{"due", second.due},
                         {"met", second.met},
                         {"filled", second.filled},
                         {"worst_latency_ms", second.worst_latency_s * 1e3},
                         {"rungs", second.rungs}});
    json["seconds"] = std::move(seconds);
    list.push_back(std::move(json));
  }
  return Json{{"gpus", options.gpu_count()},  {"gpus_per_stream", options.gpus_per_stream},
              {"model", options.costs.model}, {"vae", options.costs.vae},
              {"seconds", options.seconds},   {"seed", options.seed},
              {"runs", std::move(list)}}
             .dump(2) +
         "\n";
}

}  // namespace sdv2::sim
