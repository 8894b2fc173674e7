// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/inputs.h"

#include <stdexcept>

#include "weights/formula_source.h"

namespace sdv2::parity {
namespace {

at::Tensor uniform(const std::string& name, const std::vector<int64_t>& shape, uint64_t seed) {
  at::Tensor r = at::empty(shape, at::kFloat);
  formula_uniform(name, seed, 0, {r.mutable_data_ptr<float>(), static_cast<size_t>(r.numel())});
  return r;
}

// Triangle wave of period 64 in [-1, 1], of an integer tensor.
at::Tensor tri(const at::Tensor& k) { return (k.remainder(64) - 32).abs().to(at::kFloat) / 16 - 1; }

}  // namespace

at::Tensor gauss(const std::string& name, const std::vector<int64_t>& shape, uint64_t seed) {
  at::Tensor sum = uniform(name + "/0", shape, seed);
  for (const char* part : {"/1", "/2", "/3"}) sum = sum + uniform(name + part, shape, seed);
  return sum * 0.8660253882408142f;  // float32(sqrt(3) / 2)
}

at::Tensor frames(const std::vector<int64_t>& shape, uint64_t seed, double amp,
                  const std::vector<int64_t>& offsets) {
  if (shape.size() != 5 || shape[0] != 1 || shape[1] != 3 || static_cast<size_t>(shape[2]) != offsets.size())
    throw std::runtime_error("frames input: shape must be [1,3,T,H,W] with one offset per frame");
  const at::Tensor c = at::arange(3, at::kLong).view({3, 1, 1, 1});
  const at::Tensor o = at::tensor(offsets, at::kLong).view({1, -1, 1, 1});
  const at::Tensor y = at::arange(shape[3], at::kLong).view({1, 1, -1, 1});
  const at::Tensor x = at::arange(shape[4], at::kLong).view({1, 1, 1, -1});
  const auto shift = static_cast<int64_t>(7 * seed % 64);
  const at::Tensor wave =
      tri(3 * x + 2 * y + o + 21 * c) * 0.5 + tri(x - 2 * y - 2 * o + 13 * c + shift) * 0.5;
  return (wave * amp).to(at::kFloat).unsqueeze(0);
}

at::Tensor make_input(const nlohmann::json& case_json, const std::string& name, uint64_t seed,
                      at::ScalarType type) {
  for (const auto& input : case_json.at("inputs")) {
    if (input.at("name") != name) continue;
    const auto shape = input.at("shape").get<std::vector<int64_t>>();
    const std::string rule = input.at("rule");
    const uint64_t input_seed = input.value("seed", seed);
    if (rule == "gauss") return gauss(name, shape, input_seed).to(type).to(at::kFloat);
    if (rule == "frames")
      return frames(shape, input_seed, input.value("amp", 1.0),
                    input.at("offsets").get<std::vector<int64_t>>())
          .to(type)
          .to(at::kFloat);
    throw std::runtime_error("input " + name + ": unknown rule " + rule);
  }
  throw std::runtime_error("the case has no input named " + name);
}

}  // namespace sdv2::parity
