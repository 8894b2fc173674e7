// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights of a one-dimensional antialiased resampling, computed once per pair of sizes.
#pragma once

#include <cstdint>
#include <vector>

namespace sdv2 {

// A filter's tables, for the loops on the host and in kernels. Output sample i is the sum over k < taps of
// weights[k * size + i] * input[first[i] + k]; every index that this reads exists.
struct FilterView {
  const int32_t* first;
  const float* weights;
  int32_t taps;
  int32_t size;
};

struct ResampleFilter {
  int32_t taps = 0;
  std::vector<int32_t> first;  // [size]
  std::vector<float> weights;  // [taps, size]

  FilterView view() const { return {first.data(), weights.data(), taps, static_cast<int32_t>(first.size())}; }
};

// Where the output samples lie among the input samples. Coordinates are edges: input sample j covers j … j+1.
struct ResampleSpan {
  double begin = 0;    // left edge of output sample 0
  double step = 1;     // width of an output sample
  int32_t size = 0;    // output samples
  int32_t lowest = 0;  // input samples lowest … end-1 may be used, at least one
  int32_t end = 0;
};

// Triangle filter whose base is two samples of the coarser side: linear interpolation when enlarging, and an
// average over the covered area when reducing, so that nothing aliases. The same as "bilinear with antialias"
// of Pillow and PyTorch. At the borders the weights that are left are scaled to sum 1. A span that moves and
// scales nothing gives one tap of weight 1.
ResampleFilter make_resample_filter(const ResampleSpan& span);

}  // namespace sdv2
