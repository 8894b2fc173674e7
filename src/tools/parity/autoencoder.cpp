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

ChainStream::ChainStream(const Case& loaded, const LayerChain& chain, std::shared_ptr<const FusedChain> fused,
                         Report& report)
    : chain_(chain), memory_(chain.layer_count()) {
  if (!loaded.fused) return;
  fused_ = std::move(fused);
  if (!fused_) report.note("ran on plain kernels: there are no fused ones for this width, type or device");
}

at::Tensor ChainStream::forward(const at::Tensor& x) {
  return memory_.run(chain_, fused_.get(), 0, chain_.layer_count(), x, /*abandoned=*/false);
}

void compare_output(const Case& loaded, const std::string& name, const at::Tensor& got, Report& report) {
  compare_output(loaded, name, got, tolerance_of(loaded.json.at("tolerance")), loaded.json.at("measured"),
                 report);
}

}  // namespace sdv2::parity
