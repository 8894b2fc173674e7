// SPDX-License-Identifier: LGPL-2.1-or-later
// Standard-normal numbers that depend on nothing but their key and index: Philox4x32-10 and Box-Muller.
//
// The same code runs on the host and in CUDA kernels and gives the same float32 bits on both. That is why
// logarithm, sine and cosine are written out here, from operations that IEEE 754 specifies exactly (+, -, ×,
// ÷, √, conversion), and why no file that includes this header may contract a product and a sum:
// -ffp-contract=off on the host, -fmad=false for nvcc.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/host_device.h"

namespace sdv2 {

// Names one draw of noise: a whole tensor, whose elements are told apart by their row-major index.
struct NormalKey {
  uint64_t seed = 0;   // of the session
  uint64_t chunk = 0;  // counted from the start of the session
  uint32_t step = 0;   // denoising step that the noise is for; 0 is the mixing noise of a chunk
};

// Four numbers: one Philox block.
template <class T>
struct Four {
  T v[4];
};

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
SDV2_HOST_DEVICE inline Four<uint32_t> philox4x32(Four<uint32_t> counter, uint32_t key0, uint32_t key1) {
  auto& c = counter.v;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * c[2];
    c[0] = static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ key0;
    c[1] = static_cast<uint32_t>(product1);
    c[2] = static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ key1;
    c[3] = static_cast<uint32_t>(product0);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// -2·ln(u) for a normal u in (0, 1].
SDV2_HOST_DEVICE inline float minus_two_log(float u) {
  // u = m·2^e with m in [√½, √2): the float's bits are shifted by those of √½, so that the exponent field
  // rounds.
  uint32_t bits;
  std::memcpy(&bits, &u, sizeof bits);
  const int32_t e = static_cast<int32_t>(bits - 0x3F3504F3u) >> 23;
  bits -= static_cast<uint32_t>(e) << 23;
  float m;
  std::memcpy(&m, &bits, sizeof m);
  // ln(m) = 2·artanh(s) with s = (m - 1)/(m + 1), |s| < 0.172; the next term of the series is below 2^-28 of
  // the sum.
  const float s = (m - 1.0f) / (m + 1.0f);
  const float z = s * s;
  const float series = 1.0f + z * (1.0f / 3 + z * (1.0f / 5 + z * (1.0f / 7 + z * (1.0f / 9))));
  // ln(2) in two parts; the upper one has 16 bits, so that its product with the exponent is exact.
  const auto exponent = static_cast<float>(-2 * e);
  return exponent * 0x1.62e3p-1f + (exponent * 0x1.2fefa4p-17f - 4.0f * s * series);
}

// Two independent standard-normal numbers from two random words.
SDV2_HOST_DEVICE inline void box_muller(uint32_t radius_word, uint32_t angle_word, float& first,
                                        float& second) {
  // u = (word + ½)/2^32 in (0, 1]: the largest magnitude is √(2·ln 2^33) = 6.76.
  const float u = static_cast<float>(radius_word) * 0x1p-32f + 0x1p-33f;
  const float radius = std::sqrt(minus_two_log(u));
  // Angle 2π·word/2^32 = quadrant·π/2 + t with |t| <= π/4: the reduction is exact, in integers.
  const uint32_t quadrant = (angle_word + 0x20000000u) >> 30;
  const float t = static_cast<float>(static_cast<int32_t>(angle_word - (quadrant << 30))) * 0x1.921fb6p-30f;
  const float z = t * t;
  // Taylor series; the next terms are below 2^-28 for |t| <= π/4.
  const float sine = t + t * z * (-1.0f / 6 + z * (1.0f / 120 + z * (-1.0f / 5040 + z * (1.0f / 362880))));
  const float cosine =
      1.0f + z * (-0.5f + z * (1.0f / 24 + z * (-1.0f / 720 + z * (1.0f / 40320 + z * (-1.0f / 3628800)))));
  const bool odd = (quadrant & 1) != 0;
  const float x = odd ? sine : cosine;
  const float y = odd ? cosine : sine;
  first = radius * (quadrant == 1 || quadrant == 2 ? -x : x);   // radius·cos(angle)
  second = radius * (quadrant == 2 || quadrant == 3 ? -y : y);  // radius·sin(angle)
}

// Elements 4·block … 4·block + 3 of the draw.
SDV2_HOST_DEVICE inline Four<float> normal_block(const NormalKey& key, uint32_t block) {
  const Four<uint32_t> counter = {
      {block, key.step, static_cast<uint32_t>(key.chunk), static_cast<uint32_t>(key.chunk >> 32)}};
  const Four<uint32_t> words =
      philox4x32(counter, static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32));
  Four<float> out;
  box_muller(words.v[0], words.v[1], out.v[0], out.v[1]);
  box_muller(words.v[2], words.v[3], out.v[2], out.v[3]);
  return out;
}

}  // namespace sdv2
