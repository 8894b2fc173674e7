// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-sim: the engine's scheduler on a virtual clock.
#include <cstdio>
#include <exception>
#include <fstream>

#include "base/quote.h"
#include "tools/sim/options.h"
#include "tools/sim/report.h"
#include "tools/sim/simulation.h"

namespace sdv2::sim {
namespace {

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::kNotFound, "--plot " + quote(path) + ": cannot be written"};
  return {};
}

Result<void> simulate_all(Options options) {
  CostBook costs(options.costs);
  if (!options.recorded.empty()) SDV2_CHECK(costs.use_recorded(options.recorded));
  const int first = options.streams.front().count;
  const Sweep sweep = options.sweep.value_or(Sweep{first, first, 1});
  std::vector<RunResult> runs;
  for (int count = sweep.first; count <= sweep.last; count += sweep.step) {
    options.streams.front().count = count;
    for (const Policy policy : options.policies) {
      SDV2_TRY(RunResult run, simulate(options, costs, policy));
      runs.push_back(std::move(run));
    }
  }
  if (!options.plot.empty())
    SDV2_CHECK(write_file(options.plot, options.sweep ? sweep_plot(runs) : time_plot(options, runs)));
  std::fputs((options.json ? json_report : table_report)(options, runs).c_str(), stdout);
  return {};
}

int run_program(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + 1, argv + argc);
  auto options = parse_options(arguments);
  if (!options.ok()) {
    std::fprintf(stderr, "sdv2-sim: %s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (const auto done = simulate_all(*std::move(options)); !done.ok()) {
    std::fprintf(stderr, "sdv2-sim: %s: %s\n", to_string(done.error().code), done.error().message.c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sdv2::sim

int main(int argc, char** argv) {
  try {
    return sdv2::sim::run_program(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sdv2-sim: %s\n", error.what());
    return 1;
  }
}
