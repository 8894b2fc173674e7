// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/layer_chain.h"

#include <ATen/ATen.h>

namespace sdv2 {

void LayerChain::list_layer(size_t index, const ParamScope& p) {
  const Link& link = links_.at(index);
  link.layer->list(p / link.key);
}

void LayerChain::list(const ParamScope& p) {
  for (size_t i = 0; i < layer_count(); ++i) list_layer(i, p);
}

std::vector<double> LayerChain::layer_costs(FrameGrid in) {
  std::vector<double> costs;
  for (size_t i = 0; i < layer_count(); ++i) {
    in = links_[i].layer->output_grid(in);
    ParamList params;
    list_layer(i, ParamScope(params));
    double weights = 0;
    for (const Param& param : params) weights += static_cast<double>(c10::multiply_integers(param.shape));
    costs.push_back(weights * in.positions());
  }
  return costs;
}

at::Tensor LayerChain::forward_layer(size_t index, const at::Tensor& x, LayerState& state) const {
  return links_.at(index).layer->forward(x, state);
}

at::Tensor LayerChain::forward(const at::Tensor& x, ChainState& state) const {
  at::Tensor y = x;
  for (size_t i = 0; i < layer_count(); ++i) y = forward_layer(i, y, state.layer(i));
  return y;
}

}  // namespace sdv2
