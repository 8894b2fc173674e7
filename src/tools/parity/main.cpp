// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-parity DIR… [--device cpu|cuda:0] [--kernels plain|fused]: runs every golden case below the folders
// and prints one line per case.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>

#include <c10/core/GradMode.h>

#include "tools/parity/case.h"

namespace sdv2::parity {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsage =
    "usage: sdv2-parity [--device cpu|cuda:0] [--kernels plain|fused] DIR...\n"
    "Runs every case folder (case.json and expected.safetensors) in and below DIR on the device, prints for "
    "each\n"
    "  name  kind  profile  max_abs  rel_l2  tolerance  PASS|FAIL\n"
    "and closes with the totals. --kernels fused runs on fused kernels what has them, and says what has "
    "not.\n"
    "Exit code: 0 all passed, 1 some failed, 2 wrong usage.\n";

void find_cases(const fs::path& dir, std::vector<fs::path>& out) {
  if (is_case(dir)) {
    out.push_back(dir);
    return;
  }
  std::vector<fs::path> children;
  for (const auto& entry : fs::directory_iterator(dir))
    if (entry.is_directory()) children.push_back(entry.path());
  std::sort(children.begin(), children.end());
  for (const auto& child : children) find_cases(child, out);
}

void print_line(const Case& loaded, const Report& report, const char* verdict) {
  char numbers[96];
  if (const auto& tolerance = report.tolerance())
    std::snprintf(numbers, sizeof numbers, "%9.2e %9.2e  %.1e/%.1e", report.max_abs(), report.rel_l2(),
                  tolerance->max_abs, tolerance->rel_l2);
  else
    std::snprintf(numbers, sizeof numbers, "%9s %9s  %15s", "-", "-", "exact");
  const std::string profile = loaded.json.is_object() ? loaded.json.value("profile", "-") : "-";
  std::printf("%-28s %-22s %-8.8s %s  %s\n", loaded.name.c_str(), loaded.kind.c_str(), profile.c_str(),
              numbers, verdict);
}

// Whether the case passed.
bool run(const fs::path& dir, at::Device device, bool fused) {
  Case loaded;
  loaded.dir = dir;
  loaded.name = dir.filename().string();
  Report report;
  std::vector<std::string> failures;
  try {
    loaded = load_case(dir);
    loaded.fused = fused;
    const Runner runner = find_runner(loaded.kind);
    if (runner == nullptr) throw std::runtime_error("unknown kind '" + loaded.kind + "'");
    runner(loaded, device, report);
    failures = report.failures();
    if (failures.empty() && report.compared() == 0) failures.emplace_back("nothing was compared");
  } catch (const std::exception& error) {
    failures.emplace_back(error.what());
  }
  print_line(loaded, report, failures.empty() ? "PASS" : "FAIL");
  for (const auto& failure : failures) std::printf("    %s\n", failure.c_str());
  for (const auto& note : report.notes()) std::printf("    note: %s\n", note.c_str());
  std::fflush(stdout);
  return failures.empty();
}

int main(int argc, char** argv) {
  std::string device = "cpu", kernels = "plain";
  std::vector<fs::path> roots;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--device") == 0 && i + 1 < argc) {
      device = argv[++i];
    } else if (std::strcmp(argv[i], "--kernels") == 0 && i + 1 < argc) {
      kernels = argv[++i];
    } else if (std::strcmp(argv[i], "--help") == 0) {
      std::fputs(kUsage, stdout);
      return 0;
    } else if (argv[i][0] == '-') {
      std::fprintf(stderr, "sdv2-parity: unknown option %s\n%s", argv[i], kUsage);
      return 2;
    } else {
      roots.emplace_back(argv[i]);
    }
  }
  if (roots.empty() || (kernels != "plain" && kernels != "fused")) {
    std::fputs(kUsage, stderr);
    return 2;
  }

  std::vector<fs::path> cases;
  for (const auto& root : roots) {
    if (!fs::is_directory(root)) {
      std::fprintf(stderr, "sdv2-parity: %s is not a folder\n", root.c_str());
      return 2;
    }
    find_cases(root, cases);
  }
  // float32 cases assume true float32: no TF32 in matrix products and convolutions.
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  const c10::NoGradGuard no_grad;
  int passed = 0, failed = 0;
  for (const auto& dir : cases) ++(run(dir, at::Device(device), kernels == "fused") ? passed : failed);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || cases.empty() ? 1 : 0;
}

}  // namespace
}  // namespace sdv2::parity

int main(int argc, char** argv) {
  try {
    return sdv2::parity::main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sdv2-parity: %s\n", error.what());
    return 2;
  }
}
