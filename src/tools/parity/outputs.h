// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of a case's outputs with expected.safetensors.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "tools/parity/case.h"

namespace sdv2::parity {

using Outputs = std::map<std::string, at::Tensor>;

// Compares an output with the expected tensor of that name and its `.fp32` twin where there is one;
// `measured`: the case's measurement of that kind of output, which the rule for twins needs. Throws
// std::runtime_error when the case has no such tensor.
void compare_output(const Case& golden, const std::string& name, const at::Tensor& got,
                    const Tolerance& tolerance, const nlohmann::json& measured, Report& report);

// The "tolerance" and "measured" that hold for an output of a name.
struct Bounds {
  Tolerance tolerance;
  nlohmann::json measured;
};
using BoundsOf = Bounds (*)(const Case&, const std::string& name);

// Compares every expected tensor. Throws std::runtime_error when there is no output for one, or the file
// lacks one that the case lists.
void compare_outputs(const Case& golden, const Outputs& got, BoundsOf bounds_of, Report& report);

}  // namespace sdv2::parity
