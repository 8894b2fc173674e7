// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-bench: how fast a model runs on this machine, measured through the engine's C ABI only.
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdv2/sdv2.hpp"
#include "tools/bench/check_fused.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"
#include "tools/bench/run.h"
#include "tools/bench/stream.h"

namespace sdv2::bench {
namespace {

// A run for each of --steps, or one. options_of: of the run with these steps.
Result<std::vector<RunResult>> run_all(LoadedModel& loaded, const Options& options,
                                       const std::function<Options(std::optional<int> steps)>& options_of) {
  std::vector<std::optional<int>> each(options.steps.begin(), options.steps.end());
  if (each.empty()) each.emplace_back();
  std::vector<RunResult> runs;
  for (const std::optional<int> steps : each) {
    SDV2_TRY(RunResult run, run_once(loaded, options_of(steps), steps));
    runs.push_back(std::move(run));
  }
  return runs;
}

Result<std::unique_ptr<PlainPictures>> run_plain(const client::Engine& engine, const Options& options) {
  SDV2_TRY(auto pictures, PlainPictures::make());
  SDV2_TRY(LoadedModel loaded, load_model(engine, PlainPictures::plain(options)));
  SDV2_CHECK(run_all(loaded, options, [&](auto steps) { return pictures->writing(options, steps); }));
  return pictures;
}

Result<void> bench(const Options& options) {
  const auto engine = client::Engine::open(options.engine.empty() ? SDV2_ENGINE_LIBRARY : options.engine);
  SDV2_CHECK(to_result(engine.status()));
  std::unique_ptr<PlainPictures> plain;
  if (options.check_fused) {
    SDV2_TRY(plain, run_plain(*engine, options));
  }
  SDV2_TRY(LoadedModel loaded, load_model(*engine, options));
  if (!options.trace.empty()) SDV2_CHECK(to_result(engine->trace_start()));
  SDV2_TRY(const auto runs, run_all(loaded, options, [&](auto steps) {
             return plain ? plain->comparing(options, steps) : options;
           }));
  if (!options.trace.empty()) SDV2_CHECK(to_result(engine->trace_stop(options.trace)));
  const auto report = options.json ? json_report : table_report;
  std::fputs(report(engine->version(), loaded, options, runs).c_str(), stdout);
  return {};
}

int run_program(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + 1, argv + argc);
  const auto options = parse_options(arguments);
  if (!options.ok()) {
    std::fprintf(stderr, "sdv2-bench: %s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (const auto done = bench(*options); !done.ok()) {
    std::fprintf(stderr, "sdv2-bench: %s: %s\n", to_string(done.error().code), done.error().message.c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sdv2::bench

int main(int argc, char** argv) {
  try {
    return sdv2::bench::run_program(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sdv2-bench: %s\n", error.what());
    return 1;
  }
}
