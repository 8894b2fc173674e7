// SPDX-License-Identifier: LGPL-2.1-or-later
// A nearest upsampling by 2 and the 3×3 convolution behind it in one, on the small picture. Each pixel of the
// large picture sees only 2×2 different ones of the small picture, so that the taps which meet the same pixel
// add up: four 2×2 convolutions, one for each place in a square of the large picture, at 4/9 of the
// multiplications.
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

// Weights of a convolution with padding 1 and stride 1, [out, in, 3, 3] → those of the four, [4·out, in, 2,
// 2]: the upper left place of the square first, the upper right one next.
at::Tensor fold_upsampling(const at::Tensor& weight);

// x [T, in, H, W], channels-last → [T, out, 2H, 2W], channels-last, `folded` from fold_upsampling; with a
// ReLU if asked. Equals the two steps up to rounding.
at::Tensor upsample_and_convolve(const at::Tensor& x, const at::Tensor& folded, bool relu);

}  // namespace sdv2
