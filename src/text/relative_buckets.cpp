// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/relative_buckets.h"

#include <algorithm>
#include <cmath>

namespace sdv2 {

int64_t relative_bucket(int64_t relative_position, int64_t num_buckets, int64_t max_distance) {
  const int64_t half = num_buckets / 2;
  const int64_t base = relative_position > 0 ? half : 0;
  const int64_t distance = std::abs(relative_position);
  const int64_t exact = half / 2;
  if (distance < exact) return base + distance;
  const double octaves = std::log2(static_cast<double>(distance) / static_cast<double>(exact));
  const double all_octaves = std::log2(static_cast<double>(max_distance) / static_cast<double>(exact));
  // Steps begin on exact powers (with 32 buckets and distance 128: 8, 16, 32, 64), where the quotient must
  // not fall short.
  constexpr double kRounding = 1e-9;
  const double step = std::floor(octaves / all_octaves * static_cast<double>(half - exact) + kRounding);
  return base + std::min(exact + static_cast<int64_t>(step), half - 1);
}

}  // namespace sdv2
