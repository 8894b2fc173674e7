// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables and JSON of sdv2-bench.
#include "tools/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

#include "tools/bench/floor.h"

namespace sdv2::bench {
namespace {

using Json = nlohmann::json;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

std::string hex(uint64_t checksum) { return format("%016llx", static_cast<unsigned long long>(checksum)); }

double mebibytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

int64_t device_peak(const RunResult& run) {
  int64_t bytes = 0;
  for (const Json& device : run.devices) bytes += device.value("peak_bytes", int64_t{0});
  return bytes;
}

const Percentiles& total_of(const RunResult& run) { return run.stages.back().times; }

double met_percent(const RunResult& run) {
  return 100.0 * static_cast<double>(run.met) / static_cast<double>(run.due);
}

// Stages in the order of the chain, with bars as long as they take.
std::string plan_picture(const RunResult& run, double frames_per_chunk) {
  std::string text = "\nplan for " + std::to_string(run.steps) + (run.steps == 1 ? " step: " : " steps: ") +
                     (run.plan.is_string() ? run.plan.get<std::string>() : "unknown") + "\n";
  std::map<int, double> per_device;
  double all = 0, longest = 0;
  for (const StageTimes& stage : run.stages) {
    if (stage.worker < 0) continue;
    per_device[stage.worker] += stage.times.p50_ms;
    all += stage.times.p50_ms;
    longest = std::max(longest, stage.times.p50_ms);
  }
  if (longest <= 0) return text + "  no stage has run yet\n";
  constexpr double kLongestBar = 40;
  for (const StageTimes& stage : run.stages) {
    if (stage.worker < 0) continue;
    const auto bar = static_cast<size_t>(std::ceil(kLongestBar * stage.times.p50_ms / longest));
    text += format("  device%-3d %-8s  %-12s %9.2f ms  ", stage.worker, stage.device.c_str(),
                   stage.name.c_str(), stage.times.p50_ms) +
            std::string(bar, '#') + "\n";
  }
  const auto busiest = std::max_element(per_device.begin(), per_device.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  return text + format(
                    "  one chunk alone: %.2f ms; device%d is the busiest with %.2f ms: at most %.2f frames "
                    "per second"
                    " without sharing forwards\n",
                    all, busiest->first, busiest->second, 1e3 * frames_per_chunk / busiest->second);
}

std::string deadlines_text(const RunResult& run) {
  const auto count = [](int64_t number) { return static_cast<long long>(number); };
  std::string text = format(
      "\ndeadlines, steps=%d: %lld of %lld met (%.2f %%), the latest %.1f ms late, longest freeze %.0f ms\n",
      run.steps, count(run.met), count(run.due), met_percent(run), run.late_ms, run.freeze_ms);
  if (run.degraded_until_s == 0 && run.repeated == 0) return text;
  text += format("  given up: %lld chunks repeated the last picture, %lld showed the source; chunks by rung",
                 count(run.repeated), count(run.source));
  for (const auto& [rung, chunks] : run.on_rung) text += format(" %d: %lld", rung, count(chunks));
  return text + format("; the last below full quality at %.1f s\n", run.degraded_until_s);
}

std::string floor_table(const LoadedModel& loaded, const std::vector<RunResult>& runs) {
  std::string text = "\nsteps  stage               p50 ms  floor ms  percent of the floor's rate\n";
  for (const RunResult& run : runs)
    for (const StageFloor& stage : stage_floors(loaded, run)) {
      text += format("%5d  %-16s %9.2f ", run.steps, stage.name.c_str(), stage.p50_ms);
      text += stage.floor_ms ? format("%9.2f", *stage.floor_ms) : "        -";
      text += stage.percent() ? format("  %6.1f\n", *stage.percent()) : "       -\n";
    }
  return text + "floor: roofline of one H100 (800 TFLOP/s bf16, 1500 TFLOP/s fp8, 3 TB/s)\n";
}

Json floor_json(const LoadedModel& loaded, const RunResult& run) {
  const auto known = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  Json stages = Json::array();
  for (const StageFloor& stage : stage_floors(loaded, run))
    stages.push_back({{"name", stage.name},
                      {"p50_ms", stage.p50_ms},
                      {"floor_ms", known(stage.floor_ms)},
                      {"percent", known(stage.percent())}});
  return stages;
}

Json run_json(const RunResult& run) {
  Json stages = Json::array();
  for (const StageTimes& stage : run.stages)
    stages.push_back({{"name", stage.name},
                      {"device", stage.device.empty() ? "host" : stage.device},
                      {"p50_ms", stage.times.p50_ms},
                      {"p95_ms", stage.times.p95_ms},
                      {"p99_ms", stage.times.p99_ms},
                      {"count", stage.times.count}});
  Json checksums = Json::array();
  for (const uint64_t checksum : run.checksums) checksums.push_back(hex(checksum));
  Json json = {{"steps", run.steps},
               {"frames", run.frames},
               {"fps", run.fps},
               {"first_frame_ms", run.first_frame_ms},
               {"stages", std::move(stages)},
               {"memory", {{"host_peak_bytes", run.host_peak_bytes}, {"devices", run.devices}}},
               {"checksum", hex(run.checksum)},
               {"checksums", std::move(checksums)},
               {"plan", run.plan},
               {"settings", run.settings}};
  if (run.due > 0) {
    Json rungs = Json::object();
    for (const auto& [rung, chunks] : run.on_rung) rungs[std::to_string(rung)] = chunks;
    json["deadlines"] = {{"due", run.due},
                         {"met", run.met},
                         {"met_percent", met_percent(run)},
                         {"repeated", run.repeated},
                         {"source", run.source},
                         {"latest_ms", run.late_ms},
                         {"longest_freeze_ms", run.freeze_ms},
                         {"chunks_on_rung", std::move(rungs)},
                         {"degraded_until_s", run.degraded_until_s}};
  }
  if (run.psnr.has_value())
    // JSON has no infinity: null where every pixel is equal.
    json["against"] = {{"psnr_db", std::isinf(*run.psnr) ? Json() : Json(*run.psnr)},
                       {"largest_difference", run.largest_difference}};
  return json;
}

}  // namespace

std::string json_report(const std::string& engine_version, const LoadedModel& loaded, const Options& options,
                        const std::vector<RunResult>& runs) {
  Json list = Json::array();
  for (const RunResult& run : runs) {
    list.push_back(run_json(run));
    if (options.compare) list.back()["floor"] = floor_json(loaded, run);
  }
  const Json report = {
      {"engine", engine_version},
      {"model", options.model},
      {"devices", loaded.info.value("devices", Json(options.devices))},
      {"precision", options.precision},
      {"vae", options.vae},
      {"kernels", options.kernels},
      {"linears", loaded.info.value("linears", Json(options.linears))},
      {"height", loaded.height},
      {"width", loaded.width},
      {"streams", options.streams},
      {"chunks", options.chunks > 0 ? Json(options.chunks) : Json()},
      {"seconds", options.seconds > 0 ? Json(options.seconds) : Json()},
      {"target_fps", options.target_fps > 0 ? Json(options.target_fps) : Json()},
      {"target_latency_ms", options.target_latency_ms > 0 ? Json(options.target_latency_ms) : Json()},
      {"warmup", options.warmup},
      {"capacity", options.capacity},
      {"load_ms", loaded.load_ms},
      {"runs", std::move(list)}};
  return report.dump(2) + "\n";
}

std::string table_report(const std::string& engine_version, const LoadedModel& loaded, const Options& options,
                         const std::vector<RunResult>& runs) {
  const std::string devices = loaded.info.value("devices", Json(options.devices)).dump();
  std::string text = "sdv2 " + engine_version + ", " + options.model + ", " + std::to_string(loaded.height) +
                     "x" + std::to_string(loaded.width) + ", devices " + devices + ", " +
                     std::to_string(options.streams) + " streams of " +
                     (options.chunks > 0 ? std::to_string(options.chunks) + " chunks"
                                         : format("%g seconds", options.seconds)) +
                     ", loaded in " + format("%.0f", loaded.load_ms) + " ms\n\n";
  text += "steps      fps  first frame  total p50      p95      p99  host MiB  device MiB  checksum\n";
  for (const RunResult& run : runs) {
    const Percentiles& total = total_of(run);
    text += format("%5d %8.2f %9.1f ms %10.1f %8.1f %8.1f %9.0f %11.0f  ", run.steps, run.fps,
                   run.first_frame_ms, total.p50_ms, total.p95_ms, total.p99_ms,
                   mebibytes(run.host_peak_bytes), mebibytes(device_peak(run))) +
            hex(run.checksum) + "\n";
  }
  text += "\nsteps  stage             device        p50 ms    p95 ms    p99 ms   count\n";
  for (const RunResult& run : runs)
    for (const StageTimes& stage : run.stages)
      text += format("%5d  %-16s  %-10s %9.2f %9.2f %9.2f %7lld\n", run.steps, stage.name.c_str(),
                     stage.device.empty() ? "host" : stage.device.c_str(), stage.times.p50_ms,
                     stage.times.p95_ms, stage.times.p99_ms, static_cast<long long>(stage.times.count));
  for (const RunResult& run : runs)
    if (run.due > 0) text += deadlines_text(run);
  if (options.compare) text += floor_table(loaded, runs);
  if (options.show_plan)
    for (const RunResult& run : runs) text += plan_picture(run, 4.0 * loaded.info.value("chunk", 1));
  for (const RunResult& run : runs)
    if (run.psnr.has_value())
      text += "\nagainst " + (options.check_fused ? "plain kernels" : options.against) +
              ", steps=" + std::to_string(run.steps) + ": PSNR " + format("%.2f", *run.psnr) +
              " dB, largest difference " + std::to_string(run.largest_difference) + "\n";
  return text;
}

}  // namespace sdv2::bench
