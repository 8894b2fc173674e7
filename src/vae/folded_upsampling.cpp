// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/folded_upsampling.h"

#include <ATen/ATen.h>

#include <vector>

namespace sdv2 {
namespace {

// Three taps along a dimension → the two that the given half of a doubled pixel sees. The first half sees the
// small pixel before its own and its own (twice), the second one its own (twice) and the one behind.
at::Tensor fold(const at::Tensor& weight, int64_t dim, int64_t half) {
  const auto tap = [&](int64_t i) { return weight.narrow(dim, i, 1); };
  return half == 0 ? at::cat({tap(0), tap(1) + tap(2)}, dim) : at::cat({tap(0) + tap(1), tap(2)}, dim);
}

}  // namespace

at::Tensor fold_upsampling(const at::Tensor& weight) {
  std::vector<at::Tensor> places;
  for (const int64_t row : {0, 1})
    for (const int64_t column : {0, 1}) places.push_back(fold(fold(weight, 2, row), 3, column));
  return at::cat(places).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor upsample_and_convolve(const at::Tensor& x, const at::Tensor& folded, bool relu) {
  const int64_t out = folded.size(0) / 4, height = x.size(2), width = x.size(3);
  // [T, 4·out, H + 1, W + 1]: in place (i, j) the squares' upper and left halves of small pixel (i, j), and
  // the lower and right halves of the ones before it.
  const at::Tensor places = at::conv2d(x, folded, {}, at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1});
  at::Tensor y =
      at::empty({x.size(0), out, 2 * height, 2 * width}, x.options(), at::MemoryFormat::ChannelsLast);
  for (const int64_t row : {0, 1})
    for (const int64_t column : {0, 1}) {
      const at::Tensor from =
          places.narrow(1, (2 * row + column) * out, out).narrow(2, row, height).narrow(3, column, width);
      at::Tensor to = y.slice(2, row, 2 * height, 2).slice(3, column, 2 * width, 2);
      if (relu)
        at::clamp_min_out(to, from, 0);
      else
        to.copy_(from);
    }
  return y;
}

}  // namespace sdv2
