// SPDX-License-Identifier: LGPL-2.1-or-later
// The inputs of the golden cases, which are given by formula (goldens' README, section 1).
#pragma once

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <string>

namespace sdv2::parity {

// Input `name` of a case's "inputs" list (rule gauss or frames), float32 on the CPU, rounded through `type`
// (so that a bf16 case computes with bf16-exact inputs). Throws std::runtime_error when the case has no such
// input.
at::Tensor make_input(const nlohmann::json& case_json, const std::string& name, uint64_t seed,
                      at::ScalarType type);

// Rule gauss: variance 1, sum of four uniforms.
at::Tensor gauss(const std::string& name, const std::vector<int64_t>& shape, uint64_t seed);

// Rule frames: moving triangle waves, [1,3,T,H,W] in [-amp, amp].
at::Tensor frames(const std::vector<int64_t>& shape, uint64_t seed, double amp,
                  const std::vector<int64_t>& offsets);

}  // namespace sdv2::parity
