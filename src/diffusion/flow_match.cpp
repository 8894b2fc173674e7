// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/flow_match.h"

#include <cassert>
#include <cmath>

namespace sdv2 {
namespace {

// Point k of linspace(1, 0, 1001) as ATen's CPU kernel evaluates it: a float32 step, counted from the nearer
// end so that both ends are exact, product and sum rounded once together. A plain product and sum would
// differ in the last bit of 82 points.
float linspace_point(int k) {
  constexpr int kLast = FlowMatchTable::kSize;
  constexpr int kHalfway = (kLast + 1) / 2;
  constexpr float kStep = -1.0f / kLast;
  if (k < kHalfway) return std::fma(kStep, static_cast<float>(k), 1.0f);
  return std::fma(-kStep, static_cast<float>(kLast - k), 0.0f);
}

}  // namespace

FlowMatchTable::FlowMatchTable(double shift) {
  const auto numerator = static_cast<float>(shift);
  const auto denominator = static_cast<float>(shift - 1);
  for (int k = 0; k < kSize; ++k) {
    const float s = linspace_point(k);
    sigmas_[k] = numerator * s / (1.0f + denominator * s);
    timesteps_[k] = sigmas_[k] * 1000.0f;
  }
}

int FlowMatchTable::index_of(double timestep) const {
  int best = 0;
  for (int k = 1; k < kSize; ++k)
    if (std::abs(timesteps_[k] - timestep) < std::abs(timesteps_[best] - timestep)) best = k;
  return best;
}

std::vector<float> FlowMatchTable::warp(const std::vector<float>& steps) const {
  std::vector<float> warped;
  for (const float step : steps) {
    const int index = kSize - static_cast<int>(step);
    assert(index >= 0 && index <= kSize);
    warped.push_back(index == kSize ? 0.0f : timesteps_[index]);
  }
  return warped;
}

}  // namespace sdv2
