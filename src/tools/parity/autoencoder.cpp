// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/autoencoder.h"

#include <stdexcept>

#include "tools/parity/outputs.h"
#include "weights/formula_source.h"

namespace sdv2::parity {

LayerChain with_weights(LayerChain chain, const Case& loaded, at::Device device) {
  FormulaSource source(loaded.seed());
  const auto done = load_params(params_of(chain), source, loaded.type(), device);
  if (!done.ok()) throw std::runtime_error(done.error().message);
  return chain;
}

void compare_output(const Case& loaded, const std::string& name, const at::Tensor& got, Report& report) {
  compare_output(loaded, name, got, tolerance_of(loaded.json.at("tolerance")), loaded.json.at("measured"),
                 report);
}

}  // namespace sdv2::parity
