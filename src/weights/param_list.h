// SPDX-License-Identifier: LGPL-2.1-or-later
// How a network names its parameters, once. Every module has a member function
//     void list(const ParamScope& p) { p("weight", weight, {out, in}); p("bias", bias, {out}); norm.list(p /
//     "norm"); }
// and from that one list follow the key check, loading, random weights, counting and training.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sdv2 {

// One parameter: its key in the original (Wan, UMT5, TAEHV) state dict, its shape, and where its tensor
// lives.
struct Param {
  std::string key;
  std::vector<int64_t> shape;
  at::Tensor* slot;  // owned by the network
};

using ParamList = std::vector<Param>;

// A position in the tree of modules; parameters are appended to the list under the scope's prefix.
class ParamScope {
 public:
  explicit ParamScope(ParamList& out, std::string prefix = "") : out_(&out), prefix_(std::move(prefix)) {}

  // The child scope: keys below it begin with "<prefix>name.".
  ParamScope operator/(std::string_view name) const {
    return ParamScope(*out_, prefix_ + std::string(name) + ".");
  }
  ParamScope operator/(int64_t index) const { return *this / std::to_string(index); }

  void operator()(std::string_view name, at::Tensor& slot, std::vector<int64_t> shape) const {
    out_->push_back({prefix_ + std::string(name), std::move(shape), &slot});
  }

 private:
  ParamList* out_;
  std::string prefix_;
};

// All parameters of a module, in the order of its list().
template <class Module>
ParamList params_of(Module& module) {
  ParamList list;
  module.list(ParamScope(list));
  return list;
}

}  // namespace sdv2
