// SPDX-License-Identifier: LGPL-2.1-or-later
// The convolutions that the Wan VAE and TAEHV are made of, on frames [T, C, H, W].
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "weights/param_list.h"

namespace sdv2 {

enum class Bias { kNone, kAdd };

// 2-D convolution of every frame by itself.
struct Conv2d {
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 1;
  Bias bias_use = Bias::kAdd;
  at::Tensor weight;  // [out, in, kernel, kernel]
  at::Tensor bias;    // [out], or empty

  void list(const ParamScope& p);
  at::Tensor forward(const at::Tensor& x) const;  // [T, in, H, W] → [T, out, H', W']
};

// 3-D convolution over frames and pixels, never padded in time; spatial kernel 3 is padded by 1.
struct Conv3d {
  int64_t in = 0;
  int64_t out = 0;
  int64_t time_kernel = 3;
  int64_t spatial_kernel = 3;
  int64_t time_stride = 1;
  at::Tensor weight;  // [out, in, time_kernel, spatial_kernel, spatial_kernel]
  at::Tensor bias;    // [out]

  void list(const ParamScope& p);
  // [T, in, H, W] → [(T − time_kernel) / time_stride + 1, out, H, W]
  at::Tensor forward(const at::Tensor& x) const;
  // For time kernel 3 and time stride 1: every frame sees itself and the two before it.
  // [T, in, H, W] → [T, out, H, W]. `history` holds the last two input frames [2, in, H, W] and is moved on;
  // undefined means zeros (start of a stream).
  at::Tensor forward_causal(const at::Tensor& x, at::Tensor& history) const;
};

// Nearest-neighbour upsampling by 2: every pixel becomes a 2×2 square. Exact in every type.
at::Tensor upsample_nearest(const at::Tensor& x);

}  // namespace sdv2
