// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights given by a formula of key, seed and index: the same numbers on every machine and device, no files.
// Used for `random:` models and for the golden cases (whose format defines the formula).
#pragma once

#include <span>

#include "weights/weight_source.h"

namespace sdv2 {

// Uniform numbers r in [-1, 1), exact in float32:  h(name, seed, i) = splitmix64(fnv1a64(name) +
// seed·0x9E37…15 + i), r = 2·(h >> 40)/2^24 − 1. Fills out[j] with r for index first + j. Any thread.
void formula_uniform(std::string_view name, uint64_t seed, uint64_t first, std::span<float> out);

// The same `count` numbers, bit for bit, as a float32 vector computed on a device: weights of billions of
// elements are made where they are needed. Any thread.
at::Tensor formula_uniform(std::string_view name, uint64_t seed, uint64_t first, int64_t count,
                           at::Device device);

// Weight sources that make any tensor asked for, scaled by the kind of its key: norm weights 1 + 0.1r,
// modulation 0.3r, other vectors 0.1r, embedding tables r, everything else r·sqrt(3 / fan_in). Evaluated in
// double, rounded once to float32, then to the wanted type. Nothing of a tensor for another device is held in
// host memory.
class FormulaSource : public WeightSource {
 public:
  explicit FormulaSource(uint64_t seed) : seed_(seed) {}

  std::string name() const override;
  const std::vector<TensorInfo>* tensors() const override { return nullptr; }
  Result<at::Tensor> read(const std::string& key, const std::vector<int64_t>& shape, at::ScalarType type,
                          at::Device device) override;

 private:
  uint64_t seed_;
};

}  // namespace sdv2
