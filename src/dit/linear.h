// SPDX-License-Identifier: LGPL-2.1-or-later
// A linear layer with bias: y = x·Wᵀ + b.
#pragma once

#include <ATen/ATen.h>

#include <initializer_list>
#include <optional>
#include <vector>

#include "dit/quantise.h"
#include "weights/param_list.h"

namespace sdv2 {

class Linear {
 public:
  Linear(int64_t in, int64_t out) : in_(in), out_(out) {}

  void list(const ParamScope& p) {
    p("weight", weight_, {out_, in_});
    p("bias", bias_, {out_});
  }

  // [..., in] → [..., out]
  at::Tensor forward(const at::Tensor& x) const {
    TORCH_CHECK(weight_.defined(),
                "a linear layer has no weight: not loaded, or kept in fp8 for fused kernels");
    return at::linear(x, weight_, bias_);
  }

  const at::Tensor& weight() const { return weight_; }  // [out, in]
  const at::Tensor& bias() const { return bias_; }      // [out]

  // One layer that gives what several of equal inputs give, behind one another. Their weights become views of
  // its own, so that nothing is stored twice.
  static Linear join(std::initializer_list<Linear*> layers);

  // Keeps the weight in fp8 only, for fused kernels: forward() fails from then on.
  void quantise() {
    quantised_ = quantise_weight(weight_, bias_);
    forget();
  }
  const std::optional<QuantisedWeight>& quantised() const { return quantised_; }

  // Lets the weight go.
  void forget() {
    weight_.reset();
    bias_.reset();
  }

 private:
  int64_t in_, out_;
  at::Tensor weight_, bias_;
  std::optional<QuantisedWeight> quantised_;
};

inline Linear Linear::join(std::initializer_list<Linear*> layers) {
  std::vector<at::Tensor> weights, biases;
  for (const Linear* layer : layers) {
    weights.push_back(layer->weight_);
    biases.push_back(layer->bias_);
  }
  Linear joined((*layers.begin())->in_, 0);
  joined.weight_ = at::cat(weights);
  joined.bias_ = at::cat(biases);
  for (Linear* layer : layers) {
    layer->weight_ = joined.weight_.narrow(0, joined.out_, layer->out_);
    layer->bias_ = joined.bias_.narrow(0, joined.out_, layer->out_);
    joined.out_ += layer->out_;
  }
  return joined;
}

}  // namespace sdv2
