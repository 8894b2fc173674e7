// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/similarity_filter.h"

#include <algorithm>
#include <cmath>

namespace sdv2 {

double SimilarityFilter::skip_probability(double similarity) const {
  if (options_.threshold >= 1 || std::isnan(similarity)) return 0;
  return std::max(0.0, 1 - (1 - similarity) / (1 - options_.threshold));
}

bool SimilarityFilter::skip(double similarity, double uniform) {
  const bool skip = uniform < skip_probability(similarity) && skipped_ < options_.max_skips;
  skipped_ = skip ? skipped_ + 1 : 0;
  return skip;
}

}  // namespace sdv2
