// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/formula_source.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
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

at::Tensor formula_uniform(std::string_view name, uint64_t seed, uint64_t first, int64_t count,
                           at::Device device) {
  // splitmix64 in wrapping int64 arithmetic. ATen's >> keeps the sign, so the bits that it brings in are cut
  // off.
  const auto shifted = [](const at::Tensor& z, int64_t bits) {
    return z.bitwise_right_shift(bits).bitwise_and_((int64_t{1} << (64 - bits)) - 1);
  };
  const uint64_t origin = fnv1a64(name) + seed * kGolden + first;
  at::Tensor z = at::arange(count, at::TensorOptions(at::kLong).device(device));
  z.add_(static_cast<int64_t>(origin + kGolden));
  z.bitwise_xor_(shifted(z, 30)).mul_(static_cast<int64_t>(0xBF58476D1CE4E5B9u));
  z.bitwise_xor_(shifted(z, 27)).mul_(static_cast<int64_t>(0x94D049BB133111EBu));
  z.bitwise_xor_(shifted(z, 31));
  return shifted(z, 40).to(at::kFloat).mul_(0x1p-24f).mul_(2).sub_(1);
}

std::string FormulaSource::name() const { return "random weights, seed " + std::to_string(seed_); }

Result<at::Tensor> FormulaSource::read(const std::string& key, const std::vector<int64_t>& shape,
                                       at::ScalarType type, at::Device device) {
  const auto [base, scale] = rule_for(key, shape);
  if (!device.is_cpu()) {
    constexpr int64_t kSlice = int64_t{1} << 24;  // elements; bounds the intermediate results
    at::Tensor tensor = at::empty(shape, at::TensorOptions(type).device(device));
    const at::Tensor flat = tensor.view({-1});
    for (int64_t begin = 0; begin < flat.numel(); begin += kSlice) {
      const int64_t count = std::min(kSlice, flat.numel() - begin);
      const at::Tensor r = formula_uniform(key, seed_, static_cast<uint64_t>(begin), count, device);
      flat.narrow(0, begin, count).copy_(r.to(at::kDouble).mul_(scale).add_(base).to(at::kFloat));
    }
    return tensor;
  }
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* const data = tensor.mutable_data_ptr<float>();
  at::parallel_for(0, tensor.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    const std::span<float> part(data + begin, static_cast<size_t>(end - begin));
    formula_uniform(key, seed_, static_cast<uint64_t>(begin), part);
    for (float& value : part) value = static_cast<float>(base + scale * static_cast<double>(value));
  });
  return tensor.to(type);
}

}  // namespace sdv2
