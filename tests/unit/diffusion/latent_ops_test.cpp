// SPDX-License-Identifier: LGPL-2.1-or-later
// The arithmetic on latents against scalar arithmetic with the same roundings. The golden case flow_match
// holds the reference's bits.
#include "diffusion/latent_ops.h"

#include <ATen/ATen.h>
#include <c10/util/BFloat16.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

using c10::BFloat16;

// [2, 3, 4] values that bfloat16 cannot hold exactly, rounded to `type`.
at::Tensor ramp(double scale, at::ScalarType type) {
  return (at::arange(24, at::kDouble).view({2, 3, 4}).sin() * scale).to(type);
}

// Applies f to every row r and element of two tensors.
template <class T, class F>
at::Tensor elementwise(const at::Tensor& a, const at::Tensor& b, F f) {
  at::Tensor out = at::empty_like(a);
  for (int64_t i = 0; i < a.numel(); ++i)
    out.mutable_data_ptr<T>()[i] = f(i / 12, a.const_data_ptr<T>()[i], b.const_data_ptr<T>()[i]);
  return out;
}

const std::vector<float> kSigmas = {0.7002323865890503f, 0.49971863627433777f};

TEST(MixNoise, RoundsBothProductsAndTheSum) {
  const at::Tensor latent = ramp(1, at::kBFloat16), noise = ramp(2.3, at::kBFloat16);
  const double scale = 0.7550000000000001;
  const auto expected = elementwise<BFloat16>(latent, noise, [&](int64_t, float l, float n) {
    return BFloat16(float{BFloat16(n * static_cast<float>(scale))} +
                    float{BFloat16(l * static_cast<float>(1 - scale))});
  });
  EXPECT_TRUE(at::equal(mix_noise(latent, noise, scale), expected));
}

TEST(MixNoise, GivesNoiseAtOneAndTheLatentAtZero) {
  const at::Tensor latent = ramp(1, at::kFloat), noise = ramp(2.3, at::kFloat);
  EXPECT_TRUE(at::equal(mix_noise(latent, noise, 1), noise));
  EXPECT_TRUE(at::equal(mix_noise(latent, noise, 0), latent));
}

TEST(CleanFromFlow, ComputesInDoubleWithOneSigmaPerRow) {
  const at::Tensor flow = ramp(3, at::kBFloat16), noisy = ramp(1, at::kBFloat16);
  const auto expected = elementwise<BFloat16>(flow, noisy, [&](int64_t row, float f, float x) {
    return BFloat16(static_cast<float>(double{x} - double{kSigmas[row]} * double{f}));
  });
  const at::Tensor clean = clean_from_flow(flow, noisy, at::tensor(kSigmas));
  EXPECT_EQ(clean.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(clean, expected));
}

TEST(CleanFromFlow, RoundsOnceToFloat) {
  const at::Tensor flow = ramp(3, at::kFloat), noisy = ramp(1, at::kFloat);
  const auto expected = elementwise<float>(flow, noisy, [&](int64_t row, float f, float x) {
    return static_cast<float>(double{x} - double{kSigmas[row]} * double{f});
  });
  EXPECT_TRUE(at::equal(clean_from_flow(flow, noisy, at::tensor(kSigmas)), expected));
}

TEST(AddNoise, ComputesInFloatAndRoundsOnce) {
  const at::Tensor clean = ramp(1, at::kBFloat16), noise = ramp(2.3, at::kBFloat16);
  const auto expected = elementwise<BFloat16>(clean, noise, [&](int64_t row, float x, float n) {
    const float kept = (1 - kSigmas[row]) * x;
    const float added = kSigmas[row] * n;
    return BFloat16(kept + added);
  });
  const at::Tensor noisy = add_noise(clean, noise, at::tensor(kSigmas));
  EXPECT_EQ(noisy.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(noisy, expected));
}

TEST(AddNoise, IsUndoneByTheTrueFlow) {
  const at::Tensor clean = ramp(1, at::kFloat), noise = ramp(2.3, at::kFloat), sigma = at::tensor(kSigmas);
  const at::Tensor noisy = add_noise(clean, noise, sigma);
  EXPECT_TRUE(at::allclose(clean_from_flow(noise - clean, noisy, sigma), clean, 1e-5, 1e-6));
}

TEST(Guide, EqualsGuidanceOfTheFlows) {
  const at::Tensor noisy = ramp(1, at::kFloat), positive = ramp(2, at::kFloat),
                   negative = ramp(3, at::kFloat).cos();
  const at::Tensor sigma = at::tensor(kSigmas);
  const double scale = 1.7;
  const at::Tensor on_flows = clean_from_flow(negative + scale * (positive - negative), noisy, sigma);
  const at::Tensor on_clean =
      guide(clean_from_flow(positive, noisy, sigma), clean_from_flow(negative, noisy, sigma), scale);
  EXPECT_TRUE(at::allclose(on_clean, on_flows, 1e-5, 1e-6));
}

TEST(Guide, GivesThePositiveAtScaleOneAndKeepsItsType) {
  const at::Tensor positive = at::full({2, 3}, 1.5).to(at::kBFloat16),
                   negative = at::full({2, 3}, 0.5).to(at::kBFloat16);
  EXPECT_TRUE(at::equal(guide(positive, negative, 1), positive));
  EXPECT_TRUE(at::equal(guide(positive, negative, 2), at::full({2, 3}, 2.5).to(at::kBFloat16)));
}

}  // namespace
}  // namespace sdv2
