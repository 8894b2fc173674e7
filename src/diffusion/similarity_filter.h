// SPDX-License-Identifier: LGPL-2.1-or-later
// The stochastic similarity filter of StreamDiffusion: leaves out work while the input stands still.
#pragma once

namespace sdv2 {

struct SimilarityFilterOptions {
  double threshold = 0.98;  // cosine similarity from which chunks may be skipped; 1 or more never skips
  int max_skips = 10;       // at most this many in a row, so that a still picture is refreshed now and then
};

// Decides chunk by chunk. One per session, not thread-safe. Skipping is random, because a hard threshold
// makes motion that hovers around it jerk.
class SimilarityFilter {
 public:
  explicit SimilarityFilter(const SimilarityFilterOptions& options) : options_(options) {}

  // The probability to skip: max(0, 1 - (1 - similarity)/(1 - threshold)); 1 for an identical input, 0 at the
  // threshold.
  double skip_probability(double similarity) const;

  // Whether to skip the next chunk. `similarity`: cosine similarity in [-1, 1] of its pixels with those of
  // the last chunk that was not skipped (NaN, from an all-zero picture, is not skipped); `uniform`: a fresh
  // random number in [0, 1). The first chunk of a session is never skipped and need not be asked about.
  bool skip(double similarity, double uniform);

 private:
  SimilarityFilterOptions options_;
  int skipped_ = 0;  // in a row
};

}  // namespace sdv2
