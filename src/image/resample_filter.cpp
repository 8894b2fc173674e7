// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/resample_filter.h"

#include <algorithm>
#include <cmath>

namespace sdv2 {
namespace {

// The taps of one output sample, before all samples get the same number.
struct Taps {
  int32_t first;
  std::vector<double> weights;
};

Taps triangle_taps(const ResampleSpan& span, int32_t index) {
  constexpr double kNothing = 1e-6;  // a weight that no rounding to 8 bits can see
  const double radius = std::max(span.step, 1.0);
  const double center = span.begin + (index + 0.5) * span.step;
  const auto clamped = [&](double edge) {
    return static_cast<int32_t>(std::clamp<double>(edge, span.lowest, span.end - 1));
  };
  const int32_t first = clamped(std::floor(center - radius));
  const int32_t last = clamped(std::floor(center + radius));
  Taps taps{first, {}};
  double sum = 0;
  for (int32_t j = first; j <= last; ++j) {
    const double weight = std::max(0.0, 1 - std::abs(j + 0.5 - center) / radius);
    sum += weight;
    if (weight > kNothing) {
      taps.weights.resize(j - taps.first + 1);
      taps.weights.back() = weight;
    } else if (taps.weights.empty()) {
      taps.first = std::min(j + 1, last);
    }
  }
  if (taps.weights.empty())
    return {clamped(std::floor(center)), {1.0}};  // beyond the border: the sample there
  for (double& weight : taps.weights) weight /= sum;
  return taps;
}

}  // namespace

ResampleFilter make_resample_filter(const ResampleSpan& span) {
  std::vector<Taps> samples;
  samples.reserve(span.size);
  size_t most = 1;
  for (int32_t i = 0; i < span.size; ++i) {
    samples.push_back(triangle_taps(span, i));
    most = std::max(most, samples.back().weights.size());
  }
  ResampleFilter filter;
  filter.taps = static_cast<int32_t>(most);
  filter.first.resize(span.size);
  filter.weights.assign(most * span.size, 0.0F);
  for (int32_t i = 0; i < span.size; ++i) {
    const Taps& taps = samples[i];
    // Near the end the window moves back, with zeros in front, so that it stays inside.
    filter.first[i] = std::min(taps.first, span.end - filter.taps);
    const size_t shift = taps.first - filter.first[i];
    for (size_t k = 0; k < taps.weights.size(); ++k)
      filter.weights[(k + shift) * span.size + i] = static_cast<float>(taps.weights[k]);
  }
  return filter;
}

}  // namespace sdv2
