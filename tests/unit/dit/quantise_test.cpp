// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/quantise.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "dit/causal_dit.h"
#include "weights/formula_source.h"

namespace sdv2 {
namespace {

at::Tensor factors_of(const QuantisedWeight& weight) { return weight.terms.select(1, 0).to(at::kFloat); }
at::Tensor bias_of(const QuantisedWeight& weight) { return weight.terms.select(1, 1).to(at::kFloat); }
at::Tensor numbers_of(const QuantisedWeight& weight) {
  return weight.values.to(at::kFloat) * factors_of(weight).unsqueeze(1);
}

// Three bits of mantissa: a number is at most 1/16 of itself away, or half of the smallest step of its
// channel (2^-9 times the factor).
TEST(QuantiseWeight, RoundsEveryChannelToItsOwnScale) {
  at::manual_seed(3);
  const at::Tensor weight = at::randn({40, 96}) * at::logspace(-6, 6, 40).unsqueeze(1);
  const QuantisedWeight quantised = quantise_weight(weight.to(at::kDouble), at::randn({40}));
  EXPECT_EQ(quantised.values.scalar_type(), at::kFloat8_e4m3fn);
  const at::Tensor away = (numbers_of(quantised) - weight).abs();
  const at::Tensor allowed =
      at::maximum(weight.abs() / 16, factors_of(quantised).unsqueeze(1) / 1024).mul(1.0001);
  EXPECT_TRUE((away <= allowed).all().item<bool>());
}

TEST(QuantiseWeight, TheLargestOfAChannelBecomesTheLargestNumber) {
  const at::Tensor weight = at::tensor({0.5F, -7.F, 3.F, 0.25F, 0.125F, -0.25F}).view({2, 3});
  const QuantisedWeight quantised = quantise_weight(weight.to(at::kBFloat16), at::tensor({1.F, 2.F}));
  EXPECT_TRUE(at::equal(quantised.values.to(at::kFloat).abs().amax(1), at::full({2}, 448.F)));
  EXPECT_TRUE(at::allclose(factors_of(quantised), at::tensor({7.F / 448, 0.25F / 448}), 1. / 256));
  EXPECT_TRUE(at::equal(bias_of(quantised), at::tensor({1.F, 2.F})));
}

TEST(QuantiseWeight, ZerosStayZeros) {
  const QuantisedWeight quantised = quantise_weight(at::zeros({2, 16}), at::zeros({2}));
  EXPECT_TRUE(at::equal(numbers_of(quantised), at::zeros({2, 16})));
  EXPECT_TRUE(at::equal(factors_of(quantised), at::ones({2})));
}

TEST(QuantiseWeight, ABlockKeepsItsLinearsOnlyOnce) {
  const DitConfig config = {.dim = 128,
                            .ffn_dim = 256,
                            .num_heads = 1,
                            .num_layers = 1,
                            .freq_dim = 32,
                            .text_dim = 24,
                            .text_len = 8};
  CausalDit dit(config);
  FormulaSource weights(3);
  ASSERT_TRUE(dit.load(DitPart::all(config), weights, at::kFloat, at::kCPU).ok());
  const at::Tensor x = at::randn({1, 6, config.dim});
  const at::Tensor before = dit.block(0).ffn_in().forward(x);
  dit.join_qkv({0, 1});
  EXPECT_FALSE(dit.block(0).quantised());
  dit.quantise({0, 1});
  EXPECT_TRUE(dit.block(0).quantised());
  const Linear& layer = dit.block(0).ffn_in();
  EXPECT_FALSE(layer.weight().defined());
  const QuantisedWeight& weight = layer.quantised().value();
  const at::Tensor after = at::linear(x, numbers_of(weight), bias_of(weight));
  EXPECT_LT(((after - before).norm() / before.norm()).item<double>(), 0.05);
  try {
    layer.forward(x);
    FAIL() << "a quantised layer ran in its old type";
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what()).find("fp8"), std::string::npos);
  }
}

}  // namespace
}  // namespace sdv2
