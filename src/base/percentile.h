// SPDX-License-Identifier: LGPL-2.1-or-later
// Percentiles by the nearest rank.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace sdv2 {

// The smallest of the sorted values below or at which `share` (0…1) of them lie; 0 of none.
template <class T>
T percentile(const std::vector<T>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace sdv2
