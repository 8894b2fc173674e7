// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/outputs.h"

#include <stdexcept>

namespace sdv2::parity {

void compare_output(const Case& golden, const std::string& name, const at::Tensor& got,
                    const Tolerance& tolerance, const nlohmann::json& measured, Report& report) {
  const auto want = golden.expected.find(name);
  if (want == golden.expected.end()) throw std::runtime_error("expected.safetensors has no tensor " + name);
  const auto twin = golden.expected.find(name + ".fp32");
  if (twin == golden.expected.end())
    report.compare(name, got, want->second, tolerance);
  else
    report.compare(name, got, want->second, tolerance, twin->second, measured.at("rel_l2").get<double>());
}

void compare_outputs(const Case& golden, const Outputs& got, BoundsOf bounds_of, Report& report) {
  for (const auto& listed : golden.json.at("outputs"))
    if (!golden.expected.contains(listed.at("name")))
      throw std::runtime_error("expected.safetensors has no tensor " + listed.at("name").dump());
  for (const auto& [name, want] : golden.expected) {
    if (name.ends_with(".fp32")) continue;
    const auto output = got.find(name);
    if (output == got.end()) throw std::runtime_error("no output " + name);
    const Bounds bounds = bounds_of(golden, name);
    compare_output(golden, name, output->second, bounds.tolerance, bounds.measured, report);
  }
}

}  // namespace sdv2::parity
