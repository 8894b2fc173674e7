// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/rope.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

constexpr int64_t kPairs = kHeadDim / 2;
constexpr int64_t kSpacePairs = kPairs / 3;               // 21, for rows and for columns
constexpr int64_t kTimePairs = kPairs - 2 * kSpacePairs;  // 22
constexpr double kTheta = 10000.0;

// Radians per position of an axis' pairs, float64 [pairs].
at::Tensor frequencies(int64_t pairs, at::Device device) {
  const at::Tensor i = at::arange(pairs, at::dtype(at::kDouble).device(device));
  return at::pow(kTheta, -i / static_cast<double>(pairs));
}

at::Tensor unit_complex(const at::Tensor& angle) { return at::polar(at::ones_like(angle), angle); }

// [..., 2n] of any type → complex128 [..., n] and back.
at::Tensor as_pairs(const at::Tensor& x) {
  return at::view_as_complex(x.to(at::kDouble).unflatten(-1, {x.size(-1) / 2, 2}).contiguous());
}
at::Tensor as_channels(const at::Tensor& pairs, at::ScalarType type) {
  return at::view_as_real(pairs).flatten(-2).to(type);
}

}  // namespace

at::Tensor rope_turns(const at::Tensor& start_frames, const TokenGrid& grid) {
  const auto positions = [device = start_frames.device()](int64_t count) {
    return at::arange(count, at::dtype(at::kDouble).device(device));
  };
  const at::Tensor time = frequencies(kTimePairs, start_frames.device());
  const at::Tensor space = frequencies(kSpacePairs, start_frames.device());
  const int64_t rows = start_frames.size(0);
  const at::Tensor frame = start_frames.to(at::kDouble).unsqueeze(1) + positions(grid.frames);  // [R, F]
  const at::Tensor by_frame = frame.view({rows, grid.frames, 1, 1, 1}) * time;
  const at::Tensor by_row = positions(grid.height).view({1, 1, grid.height, 1, 1}) * space;
  const at::Tensor by_column = positions(grid.width).view({1, 1, 1, grid.width, 1}) * space;
  const auto everywhere = [&](const at::Tensor& angle) {
    return angle.expand({rows, grid.frames, grid.height, grid.width, angle.size(-1)});
  };
  const at::Tensor angles = at::cat({everywhere(by_frame), everywhere(by_row), everywhere(by_column)}, -1);
  return unit_complex(angles.view({rows, grid.tokens(), 1, kPairs}));
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& turns) {
  return as_channels(as_pairs(x) * turns, x.scalar_type());
}

at::Tensor rotate_time(const at::Tensor& k, int64_t frames) {
  const at::Tensor turns = unit_complex(frequencies(kTimePairs, k.device()) * static_cast<double>(frames));
  const auto parts = k.split_with_sizes({2 * kTimePairs, kHeadDim - 2 * kTimePairs}, -1);
  return at::cat({as_channels(as_pairs(parts[0]) * turns, k.scalar_type()), parts[1]}, -1);
}

}  // namespace sdv2
