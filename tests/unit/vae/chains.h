// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of the autoencoders share: formula weights in
// double, calls of given lengths, a source that looks like a file.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "vae/layer_chain.h"
#include "weights/formula_source.h"

namespace sdv2::testing {

// Double, so that results which may differ only by the order of sums agree to this.
inline constexpr double kSame = 1e-11;

inline LayerChain with_weights(LayerChain chain, at::ScalarType type = at::kDouble) {
  FormulaSource source(5);
  EXPECT_TRUE(load_params(params_of(chain), source, type, at::kCPU).ok());
  return chain;
}

// Numbers in [-1, 1).
inline at::Tensor uniform(const std::string& name, const std::vector<int64_t>& shape) {
  at::Tensor r = at::empty(shape, at::kFloat);
  formula_uniform(name, 3, 0, {r.mutable_data_ptr<float>(), static_cast<size_t>(r.numel())});
  return r.to(at::kDouble);
}

// Feeds x [T, …] in calls of the given numbers of frames (which must sum to T) and joins the outputs.
inline at::Tensor run(const LayerChain& chain, const at::Tensor& x, const std::vector<int64_t>& calls,
                      ChainState& state) {
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& part : x.split_with_sizes(calls)) outputs.push_back(chain.forward(part, state));
  return at::cat(outputs);
}

inline at::Tensor run(const LayerChain& chain, const at::Tensor& x, const std::vector<int64_t>& calls) {
  ChainState state = chain.new_state();
  return run(chain, x, calls, state);
}

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : 1e9;
}

inline int64_t count_elements(const ParamList& params) {
  int64_t count = 0;
  for (const Param& param : params) {
    int64_t elements = 1;
    for (const int64_t size : param.shape) elements *= size;
    count += elements;
  }
  return count;
}

// Formula weights behind a list of tensors, as a file has it; remembers what was read.
class ListedSource : public WeightSource {
 public:
  void add(const ParamList& params) {
    for (const Param& param : params) infos.push_back({param.key, DType::kF32, param.shape});
  }

  std::string name() const override { return "weights.pth"; }
  const std::vector<TensorInfo>* tensors() const override { return &infos; }
  Result<at::Tensor> read(const std::string& key, const std::vector<int64_t>& shape, at::ScalarType type,
                          at::Device device) override {
    for (const TensorInfo& info : infos) {
      if (info.key != key) continue;
      if (info.shape != shape) return Error{ErrorCode::kCorrupt, key + " has another shape"};
      read_keys.insert(key);
      return FormulaSource(5).read(key, shape, type, device);
    }
    return Error{ErrorCode::kNotFound, key};
  }

  std::vector<TensorInfo> infos;
  std::set<std::string> read_keys;
};

}  // namespace sdv2::testing
