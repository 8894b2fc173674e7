// SPDX-License-Identifier: LGPL-2.1-or-later
// Philox against published vectors; the Gaussian numbers made from it against exact functions and by their
// statistics. Keys are fixed, so the statistical tests cannot fail by chance.
#include "kernels/philox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/philox_normal.h"

namespace sdv2 {
namespace {

constexpr NormalKey kKey = {.seed = 42, .chunk = 7, .step = 1};

std::vector<float> draw(const NormalKey& key, size_t count) {
  std::vector<float> values(count);
  fill_normal(key, 0, values);
  return values;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum / static_cast<double>(a.size());
}

TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  struct Vector {
    std::array<uint32_t, 4> counter;
    std::array<uint32_t, 2> key;
    std::array<uint32_t, 4> answer;
  };
  constexpr uint32_t kOnes = 0xFFFFFFFF;
  constexpr Vector kVectors[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}},
      {{kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}, {0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}},
      {{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344},
       {0xA4093822, 0x299F31D0},
       {0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}},
  };
  for (const auto& vector : kVectors) {
    const auto& c = vector.counter;
    const auto words = philox4x32({{c[0], c[1], c[2], c[3]}}, vector.key[0], vector.key[1]);
    EXPECT_TRUE(std::equal(vector.answer.begin(), vector.answer.end(), words.v));
  }
}

TEST(BoxMuller, HasAccurateLogarithms) {
  double worst = 0;
  for (uint32_t word = 1; word < 0xFFFFFF00u; word += 65521) {
    const float u = static_cast<float>(word) * 0x1p-32f;
    const double exact = -2 * std::log(double{u});
    worst = std::max(worst, std::abs(minus_two_log(u) - exact) / exact);
  }
  EXPECT_LT(worst, 0x1p-22);  // two units in the last place
  EXPECT_EQ(minus_two_log(1.0f), 0.0f);
  EXPECT_FLOAT_EQ(minus_two_log(0x1p-33f), static_cast<float>(66 * std::numbers::ln2));
}

TEST(BoxMuller, HasAccurateAngles) {
  constexpr uint32_t kRadiusWord = 0x10000000;
  const double radius = std::sqrt(-2 * std::log(0x1p-4));
  double worst = 0;
  for (uint64_t word = 0; word <= 0xFFFFFFFF; word += 65521) {
    float first, second;
    box_muller(kRadiusWord, static_cast<uint32_t>(word), first, second);
    const double angle = 2 * std::numbers::pi * static_cast<double>(word) / 4294967296.0;
    worst = std::max(
        {worst, std::abs(first - radius * std::cos(angle)), std::abs(second - radius * std::sin(angle))});
  }
  EXPECT_LT(worst, 4e-7);
}

TEST(BoxMuller, StaysFiniteAtTheEnds) {
  for (const uint32_t radius : {0u, 1u, 0xFFFFFFFFu})
    for (const uint32_t angle :
         {0u, 0x1FFFFFFFu, 0x20000000u, 0x80000000u, 0xDFFFFFFFu, 0xE0000000u, 0xFFFFFFFFu}) {
      float first, second;
      box_muller(radius, angle, first, second);
      EXPECT_LE(std::hypot(first, second), 6.77);
    }
}

TEST(FillNormal, KeepsItsBits) {
  // A change of these numbers changes every stream made with a seed.
  const std::vector<float> values = draw(kKey, 6);
  constexpr float kExpected[] = {-0x1.cb044p-6f, -0x1.5670cp-5f, -0x1.8a5a58p-3f,
                                 -0x1.5753dp-3f, 0x1.30d73cp+1f, -0x1.505b78p+0f};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(values[i], kExpected[i]) << i;
}

TEST(FillNormal, DoesNotDependOnHowADrawIsDivided) {
  const std::vector<float> whole = draw(kKey, 1001);
  for (const size_t part : {1, 2, 3, 5, 64, 1000}) {
    std::vector<float> parts(whole.size());
    for (size_t first = 0; first < parts.size(); first += part)
      fill_normal(kKey, static_cast<int64_t>(first),
                  std::span(parts).subspan(first, std::min(part, parts.size() - first)));
    EXPECT_EQ(parts, whole) << "parts of " << part;
  }
}

TEST(FillNormal, IsStandardNormal) {
  constexpr size_t kCount = 2'000'000;
  const std::vector<float> values = draw(kKey, kCount);
  double mean = 0, square = 0, cube = 0, fourth = 0;
  std::array<size_t, 5> beyond{};  // |x| > 1, 2, 3, 4, 5
  for (const double x : values) {
    mean += x;
    square += x * x;
    cube += x * x * x;
    fourth += x * x * x * x;
    for (size_t limit = 1; limit <= beyond.size(); ++limit)
      beyond[limit - 1] += std::abs(x) > static_cast<double>(limit);
  }
  // Each within four standard deviations of its estimate.
  const double root = std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(mean / kCount, 0, 4 / root);
  EXPECT_NEAR(square / kCount, 1, 4 * std::sqrt(2.0) / root);
  EXPECT_NEAR(cube / kCount, 0, 4 * std::sqrt(15.0) / root);
  EXPECT_NEAR(fourth / kCount, 3, 4 * std::sqrt(96.0) / root);
  for (size_t limit = 1; limit <= beyond.size(); ++limit) {
    const double expected = kCount * std::erfc(static_cast<double>(limit) / std::numbers::sqrt2);
    EXPECT_NEAR(static_cast<double>(beyond[limit - 1]), expected, 4 * std::sqrt(expected))
        << "beyond " << limit;
  }
}

TEST(FillNormal, FollowsTheNormalDistributionFunction) {
  std::vector<float> values = draw({.seed = 3}, 200'000);
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  double distance = 0;  // of Kolmogorov and Smirnov
  for (size_t i = 0; i < values.size(); ++i) {
    const double probability = 0.5 * std::erfc(-values[i] / std::numbers::sqrt2);
    distance = std::max({distance, probability - static_cast<double>(i) / count,
                         static_cast<double>(i + 1) / count - probability});
  }
  EXPECT_LT(distance, 1.63 / std::sqrt(count));  // 1 % level
}

TEST(FillNormal, IsIndependentBetweenKeys) {
  constexpr size_t kCount = 100'000;
  const std::vector<float> base = draw(kKey, kCount);
  const double bound = 4 / std::sqrt(static_cast<double>(kCount));
  std::vector<NormalKey> others;
  for (const uint64_t bit : {0, 1, 31, 32, 63}) {
    others.push_back({kKey.seed ^ (uint64_t{1} << bit), kKey.chunk, kKey.step});
    others.push_back({kKey.seed, kKey.chunk ^ (uint64_t{1} << bit), kKey.step});
  }
  for (const uint32_t bit : {0, 1, 31})
    others.push_back({kKey.seed, kKey.chunk, kKey.step ^ (uint32_t{1} << bit)});
  // Neighbouring draws must not be shifted copies either.
  others.push_back({kKey.seed, kKey.chunk + 1, kKey.step - 1});
  for (const NormalKey& key : others) {
    const std::vector<float> other = draw(key, kCount);
    EXPECT_LT(std::abs(correlation(base, other)), bound) << key.seed << " " << key.chunk << " " << key.step;
  }
}

TEST(FillNormal, IsIndependentBetweenElements) {
  constexpr size_t kCount = 200'000;
  const std::vector<float> values = draw(kKey, kCount + 8);
  const std::vector<float> base(values.begin(), values.begin() + kCount);
  const double bound = 4 / std::sqrt(static_cast<double>(kCount));
  for (int lag = 1; lag <= 8; ++lag) {
    const std::vector<float> later(values.begin() + lag, values.begin() + lag + kCount);
    EXPECT_LT(std::abs(correlation(base, later)), bound) << "lag " << lag;
  }
}

}  // namespace
}  // namespace sdv2
