// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/formula_source.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/fnv1a.h"

namespace sdv2 {
namespace {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;

constexpr uint64_t splitmix64(uint64_t z) {
  z += kGolden;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// value = base + scale·r
struct Rule {
  double base;
  double scale;
};

Rule rule_for(std::string_view key, const std::vector<int64_t>& shape) {
  const auto ends = [&](std::string_view suffix) { return key.ends_with(suffix); };
  constexpr std::array kNorms = {"norm_q.weight", "norm_k.weight", "norm1.weight", "norm2.weight",
                                 "norm3.weight",  ".norm.weight",  ".gamma"};
  for (const std::string_view norm : kNorms)
    if (ends(norm)) return {1.0, 0.1};
  if (key == "norm.weight") return {1.0, 0.1};
  if (ends("modulation")) return {0.0, 0.3};
  if (shape.size() == 1) return {0.0, 0.1};
  if (ends("pos_embedding.embedding.weight") || ends("token_embedding.weight")) return {0.0, 1.0};
  const auto fan_in = std::accumulate(shape.begin() + 1, shape.end(), int64_t{1}, std::multiplies<>());
  return {0.0, std::sqrt(3.0 / static_cast<double>(fan_in))};
}

}  // namespace

void formula_uniform(std::string_view name, uint64_t seed, uint64_t first, std::span<float> out) {
  const uint64_t origin = fnv1a64(name) + seed * kGolden + first;
  for (size_t i = 0; i < out.size(); ++i) {
    const auto u = static_cast<float>(splitmix64(origin + i) >> 40) * 0x1p-24f;
    out[i] = 2.0f * u - 1.0f;
  }
}

std::string FormulaSource::name() const { return "random weights, seed " + std::to_string(seed_); }

Result<at::Tensor> FormulaSource::read(const std::string& key, const std::vector<int64_t>& shape,
                                       at::ScalarType type, at::Device device) {
  const auto [base, scale] = rule_for(key, shape);
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* const data = tensor.mutable_data_ptr<float>();
  at::parallel_for(0, tensor.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    const std::span<float> part(data + begin, static_cast<size_t>(end - begin));
    formula_uniform(key, seed_, static_cast<uint64_t>(begin), part);
    for (float& value : part) value = static_cast<float>(base + scale * static_cast<double>(value));
  });
  return tensor.to(device, type);
}

}  // namespace sdv2
