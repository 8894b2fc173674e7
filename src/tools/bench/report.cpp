// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables and JSON of sdv2-bench.
#include "tools/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

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
  for (const RunResult& run : runs) list.push_back(run_json(run));
  const Json report = {{"engine", engine_version},
                       {"model", options.model},
                       {"devices", loaded.info.value("devices", Json(options.devices))},
                       {"precision", options.precision},
                       {"vae", options.vae},
                       {"kernels", options.kernels},
                       {"height", loaded.height},
                       {"width", loaded.width},
                       {"streams", options.streams},
                       {"chunks", options.chunks},
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
                     std::to_string(options.streams) + " streams of " + std::to_string(options.chunks) +
                     " chunks, loaded in " + format("%.0f", loaded.load_ms) + " ms\n\n";
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
    if (run.psnr.has_value())
      text += "\nagainst " + options.against + ": PSNR " + format("%.2f", *run.psnr) +
              " dB, largest difference " + std::to_string(run.largest_difference) + "\n";
  return text;
}

}  // namespace sdv2::bench
