// SPDX-License-Identifier: LGPL-2.1-or-later
// The random draws of a case, in the reference's order of drawing.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "tools/parity/case.h"

namespace sdv2::parity {

class NoiseTape {
 public:
  NoiseTape(const Case& golden, at::Device device) : golden_(golden), device_(device) {}

  // The next draw of the case's "noise_draws", in the case's type, viewed in `shape` (records list the shapes
  // of the reference's calls, which join rows and frames). Throws std::runtime_error when there is none left
  // or it has another number of elements.
  at::Tensor next(at::IntArrayRef shape);

  // Names of the draws since the last call.
  std::vector<std::string> take_names() { return std::exchange(names_, {}); }

  bool used_up() const { return next_ == golden_.json.at("noise_draws").size(); }

 private:
  const Case& golden_;
  at::Device device_;
  size_t next_ = 0;
  std::vector<std::string> names_;
};

}  // namespace sdv2::parity
