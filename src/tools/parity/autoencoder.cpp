// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/autoencoder.h"

#include <stdexcept>

#include "weights/formula_source.h"

namespace sdv2::parity {

LayerChain with_weights(LayerChain chain, const Case& loaded, at::Device device) {
  FormulaSource source(loaded.seed());
  const auto done = load_params(params_of(chain), source, loaded.type(), device);
  if (!done.ok()) throw std::runtime_error(done.error().message);
  return chain;
}

void compare_output(const Case& loaded, const std::string& name, const at::Tensor& got, Report& report) {
  const auto want = loaded.expected.find(name);
  if (want == loaded.expected.end()) throw std::runtime_error("expected.safetensors has no tensor " + name);
  const Tolerance tolerance = tolerance_of(loaded.json.at("tolerance"));
  const auto twin = loaded.expected.find(name + ".fp32");
  if (twin == loaded.expected.end())
    report.compare(name, got, want->second, tolerance);
  else
    report.compare(name, got, want->second, tolerance, twin->second,
                   loaded.json.at("measured").at("rel_l2").get<double>());
}

}  // namespace sdv2::parity
