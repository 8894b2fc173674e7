// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights by formula: the published check values, and equal bits wherever they are made.
#include "weights/formula_source.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

namespace sdv2 {
namespace {

TEST(FormulaSource, GivesThePublishedValues) {
  FormulaSource source(1);
  const auto weight = source.read("blocks.0.self_attn.q.weight", {256, 256}, at::kFloat, at::kCPU);
  ASSERT_TRUE(weight.ok());
  const float wanted[] = {-0.002665263833478093f, 0.0880163162946701f, 0.05092878267168999f,
                          -0.09653700143098831f};
  for (int64_t i = 0; i < 4; ++i) EXPECT_EQ((*weight)[0][i].item<float>(), wanted[i]);
  const auto norm = source.read("blocks.0.self_attn.norm_q.weight", {256}, at::kFloat, at::kCPU);
  ASSERT_TRUE(norm.ok());
  EXPECT_EQ((*norm)[0].item<float>(), 1.0218454599380493f);
}

TEST(FormulaUniform, HasTheSameBitsInAtenArithmetic) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}})
    for (const uint64_t first : {uint64_t{0}, uint64_t{12345}, uint64_t{1} << 40}) {
      std::vector<float> host(10'001);
      formula_uniform("blocks.3.ffn.0.weight", seed, first, std::span(host));
      const auto aten =
          formula_uniform("blocks.3.ffn.0.weight", seed, first, static_cast<int64_t>(host.size()), at::kCPU);
      EXPECT_TRUE(at::equal(aten, at::tensor(host)));
    }
}

TEST(FormulaSource, HasTheSameBitsOnAGpu) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no GPU";
  FormulaSource source(3);
  // A vector, a matrix with a scale, and more than one slice.
  const std::pair<const char*, std::vector<int64_t>> cases[] = {
      {"a.bias", {77}}, {"head.modulation", {1, 2, 256}}, {"b.weight", {4099, 4201}}};
  for (const auto& [key, shape] : cases)
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      const auto host = source.read(key, shape, type, at::kCPU);
      const auto device = source.read(key, shape, type, at::Device(at::kCUDA, 0));
      ASSERT_TRUE(host.ok() && device.ok());
      EXPECT_TRUE(at::equal(device->cpu(), *host)) << key;
    }
}

}  // namespace
}  // namespace sdv2
