// SPDX-License-Identifier: LGPL-2.1-or-later
// The weights of a description's networks: files, each opened and compared with the full list of its
// network's parameters, or random numbers.
#pragma once

#include <memory>
#include <vector>

#include "model/model_description.h"
#include "weights/mapped_source.h"
#include "weights/weight_source.h"

namespace sdv2 {

// The networks that a description has.
std::vector<NetworkKind> networks_of(const ModelDescription& model);

// The file of a network that the description has; empty for random weights.
const std::filesystem::path& file_of(const ModelDescription& model, NetworkKind kind);
void set_file(ModelDescription& model, NetworkKind kind, const std::filesystem::path& file);

// All parameters of a network that the description has: keys and shapes. No tensor is made, every slot is
// null.
ParamList parameters_of(const ModelDescription& model, NetworkKind kind);

// A network's weights under the original keys, with exactly the tensors of parameters_of (random weights: any
// tensor that is asked for). Movable; files stay mapped while it lives.
class NetworkFile {
 public:
  // Errors: those of open_network and check_keys (all missing, extra and misshapen keys in one).
  static Result<NetworkFile> open(const ModelDescription& model, NetworkKind kind);

  WeightSource& weights() const { return cut_ ? *cut_ : *file_; }

 private:
  std::unique_ptr<WeightSource> file_;
  std::unique_ptr<WeightSource> cut_;  // view of a TAEHV file_ that holds more rows than the network has
};

// Opens and checks all networks. Everything that is wrong with any of them is told in one error.
Result<void> check_networks(const ModelDescription& model);

}  // namespace sdv2
