// SPDX-License-Identifier: LGPL-2.1-or-later
// Seconds of every unit of the chain by the roofline model: each operation takes the longer of its arithmetic
// at the chip's sustained rate and its memory traffic, and operations add up. Counted for Wan 2.1 in steady
// state, four pixel frames (one latent frame) per chunk; one multiply-add is two operations, every tensor is
// read and written once, norms and residuals are fused except where a row norm cannot be. Chip: one H100 with
// 800 TFLOP/s dense bf16, 1500 TFLOP/s fp8, 3 TB/s.
#pragma once

#include <string>
#include <vector>

namespace sdv2::sim {

struct DitSize {
  const char* name;
  int dim, ffn, heads, layers;
};
inline constexpr DitSize kDit1_3B{"1.3b", 1536, 8960, 12, 30};
inline constexpr DitSize kDit14B{"14b", 5120, 13824, 40, 40};

struct UnitTime {
  double seconds = 0;
  double bytes_out = 0;  // that it hands on
};

// A latent frame of `rows` rows through one transformer block; `fp8`: its linears. Each row attends to
// `window` latent frames of keys.
UnitTime block_time(const DitSize& dit, int height, int width, int rows, int window, bool fp8);
// The patch embedding and the head, with the time embedding.
UnitTime patch_time(const DitSize& dit, int height, int width, int rows);
UnitTime head_time(const DitSize& dit, int height, int width, int rows);

// The layers of an autoencoder half, in order.
std::vector<UnitTime> wan_encoder_times(int height, int width);
std::vector<UnitTime> wan_decoder_times(int height, int width);
std::vector<UnitTime> taehv_encoder_times(int height, int width);
std::vector<UnitTime> taehv_decoder_times(int height, int width);

}  // namespace sdv2::sim
