// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights of a convolution in the order in which the direct convolution kernel (direct_conv.h) uses them.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "kernels/conv_layout.h"

namespace sdv2 {

// On the device of the weights that it was packed from.
struct PackedConv {
  ConvTile tile{};
  ConvMode mode = ConvMode::kChannels;
  int in_channels = 0;   // multiple of 32: those of the convolution, filled up with zeros
  int out_channels = 0;  // of the output tensor
  int channel_tiles = 0;
  int taps = 0;  // within a frame
  std::array<std::array<int, kMaxTaps>, 4> tap_offsets{};
  std::array<int, 4> parity_taps{};
  // bf16, flat: channel tile, 32 input channels, tap, time tap from last to first, row = output channel of
  // the tile (in the order of tile_row_channel), 32 channels. A row is 4 units of 16 bytes; unit u lies at
  // place u xor (row / 2 mod 4), as the matrix unit expects it (64-byte swizzle).
  at::Tensor weights;
  at::Tensor bias;  // float32, one for each row of all tiles, but for kUpsample: for each channel
};

// Which output channel of a tile of `channels` stands in a row of its weights. The thread that gets the rows
// 8j + 2q and 8j + 2q + 1, for all j, so owns 8 channels in a row of every 32.
int tile_row_channel(int channels, int row);

// 3×3×3, causal in time. weight [out, in, 3, 3, 3], bias [out]; out a multiple of tile.channels, or 3 with
// tile.channels = 8.
PackedConv pack_conv(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);
// 1×1(×1): weight [out, in, 1, 1, 1].
PackedConv pack_pointwise(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);
// 3×3×3 over pictures of 3 channels that launch_pack_pictures (vae_frames.h) prepared.
PackedConv pack_picture_conv(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);
// Rows and columns doubled by repetition, then 3×3: weight [out, in, 3, 3], out = tile.channels. Every output
// pixel sees 2×2 input pixels; weights that meet on the same one are added in float32.
PackedConv pack_upsample(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);
// 3×3 at every second row and column, padded by zeros right and below: weight [out, in, 3, 3].
PackedConv pack_stride2(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);
// 3×1×1, every output frame from three input frames: weight [out, in, 3, 1, 1].
PackedConv pack_time(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);
// 3×1×1 to two frames: weight [2·C, in, 3, 1, 1], of the earlier frame first.
PackedConv pack_time_double(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile);

}  // namespace sdv2
