// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/noise_tape.h"

#include <stdexcept>

#include "tools/parity/inputs.h"

namespace sdv2::parity {

at::Tensor NoiseTape::next(at::IntArrayRef shape) {
  const auto& draws = golden_.json.at("noise_draws");
  if (next_ == draws.size())
    throw std::runtime_error("noise_draws: the driver draws more than the " + std::to_string(next_) +
                             " listed");
  const auto& draw = draws.at(next_++);
  const std::string name = draw.at("name");
  const auto listed = draw.at("shape").get<std::vector<int64_t>>();
  if (c10::multiply_integers(listed) != c10::multiply_integers(shape)) {
    std::ostringstream text;
    text << name << ": listed with shape " << draw.at("shape") << ", the driver draws " << shape;
    throw std::runtime_error(text.str());
  }
  names_.push_back(name);
  return gauss(name, listed, golden_.seed()).to(device_, golden_.type()).view(shape);
}

}  // namespace sdv2::parity
