// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/conv_packing.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

constexpr int kUnit = 8;                            // elements of a swizzled unit
constexpr int kUnitsPerRow = kChannelStep / kUnit;  // 4

int round_up(int64_t value, int step) { return static_cast<int>((value + step - 1) / step * step); }

// w: [tiles, rows, time taps, taps, in].
at::Tensor in_order_of_use(const at::Tensor& w, const ConvTile& tile) {
  const int64_t tiles = w.size(0), rows = w.size(1), time_taps = w.size(2), taps = w.size(3), in = w.size(4);
  TORCH_CHECK(rows == tile.channels && time_taps == tile.time_taps && in % kChannelStep == 0,
              "convolution weights ", w.sizes(), " do not fit the tile");
  const at::TensorOptions index_options = at::TensorOptions().dtype(at::kLong).device(w.device());
  std::vector<int64_t> channel_of_row, unit_of_place;
  for (int row = 0; row < rows; ++row) {
    channel_of_row.push_back(tile_row_channel(tile.channels, row));
    for (int place = 0; place < kUnitsPerRow; ++place)
      unit_of_place.push_back(place ^ (row / 2 % kUnitsPerRow));
  }
  const at::Tensor ordered =
      w.index_select(1, at::tensor(channel_of_row).to(index_options))
          .to(at::kBFloat16)
          .reshape({tiles, rows, time_taps, taps, in / kChannelStep, kUnitsPerRow, kUnit})
          .permute({0, 4, 3, 2, 1, 5, 6})  // tile, channel step, tap, time tap, row, unit, element
          .flip(3)
          .contiguous();
  const at::Tensor places = at::tensor(unit_of_place)
                                .to(index_options)
                                .view({1, 1, 1, 1, rows, kUnitsPerRow, 1})
                                .expand(ordered.sizes());
  return at::gather(ordered, 5, places).contiguous();
}

// [out, in, …] with zeros up to whole channel steps and output tiles.
at::Tensor padded(const at::Tensor& weight, int out, int in) {
  at::Tensor w = at::zeros({out, in, weight.size(2), weight.size(3)}, weight.options().dtype(at::kFloat));
  w.narrow(0, 0, weight.size(0)).narrow(1, 0, weight.size(1)).copy_(weight);
  return w;
}

at::Tensor padded_bias(const at::Tensor& bias, int out) {
  at::Tensor b = at::zeros({out}, bias.options().dtype(at::kFloat));
  b.narrow(0, 0, bias.size(0)).copy_(bias);
  return b;
}

// weight: [out, in, time taps, taps].
PackedConv packed(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile, ConvMode mode) {
  PackedConv conv;
  conv.tile = tile;
  conv.mode = mode;
  conv.in_channels = round_up(weight.size(1), kChannelStep);
  conv.out_channels = static_cast<int>(weight.size(0));
  const int rows = round_up(weight.size(0), tile.channels);
  conv.channel_tiles = rows / tile.channels;
  conv.taps = static_cast<int>(weight.size(3));
  conv.weights = in_order_of_use(
      padded(weight, rows, conv.in_channels)
          .view({conv.channel_tiles, tile.channels, conv.in_channels, weight.size(2), weight.size(3)})
          .permute({0, 1, 3, 4, 2}),
      tile);
  conv.bias = padded_bias(bias, rows);
  return conv;
}

// Offsets of the 3×3 taps.
std::array<int, kMaxTaps> square_taps() {
  std::array<int, kMaxTaps> offsets{};
  for (int tap = 0; tap < kMaxTaps; ++tap) offsets[static_cast<size_t>(tap)] = tap_offset(tap / 3, tap % 3);
  return offsets;
}

// Sums the three rows (dimension 2) of a 3×3 kernel that see two rows of the small picture: an even output
// row sees the row above by its first and its own by the others, an odd one its own by the first two.
at::Tensor two_of_three(const at::Tensor& w, int64_t dim, bool odd) {
  const at::Tensor first = w.select(dim, 0), middle = w.select(dim, 1), last = w.select(dim, 2);
  return odd ? at::stack({first + middle, last}, dim) : at::stack({first, middle + last}, dim);
}

}  // namespace

int tile_row_channel(int channels, int row) {
  if (channels < 32) return row;
  const int j = row / 8, q = row % 8 / 2, e = row % 2;
  return 32 * (j / 4) + 8 * q + 2 * (j % 4) + e;
}

PackedConv pack_conv(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  PackedConv conv = packed(weight.flatten(3), bias, tile, ConvMode::kChannels);
  conv.tap_offsets[0] = square_taps();
  return conv;
}

PackedConv pack_pointwise(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  PackedConv conv = packed(weight.flatten(3), bias, tile, ConvMode::kChannels);
  conv.tap_offsets[0][0] = tap_offset(1, 1);
  return conv;
}

PackedConv pack_picture_conv(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  // [out, colour, time, row, column] → [out, (time, column, colour), 1, row]
  const at::Tensor rows = weight.permute({0, 2, 4, 1, 3}).reshape({weight.size(0), 27, 1, 3});
  PackedConv conv = packed(rows, bias, tile, ConvMode::kChannels);
  for (int row = 0; row < 3; ++row) conv.tap_offsets[0][static_cast<size_t>(row)] = tap_offset(row, 1);
  return conv;
}

PackedConv pack_upsample(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  const int64_t in = weight.size(1);
  std::vector<at::Tensor> phases;  // of rows, then of columns: each [out, in, 1, 4]
  for (const bool odd_row : {false, true})
    for (const bool odd_column : {false, true})
      phases.push_back(two_of_three(two_of_three(weight.to(at::kFloat), 2, odd_row), 3, odd_column)
                           .reshape({-1, in, 1, 4}));
  PackedConv conv = packed(at::cat(phases), bias, tile, ConvMode::kUpsample);
  conv.out_channels = static_cast<int>(weight.size(0));
  for (int phase = 0; phase < 4; ++phase)
    for (int tap = 0; tap < 4; ++tap)
      conv.tap_offsets[static_cast<size_t>(phase)][static_cast<size_t>(tap)] =
          tap_offset(phase / 2 + tap / 2, phase % 2 + tap % 2);
  conv.bias = bias.to(at::kFloat).contiguous();
  return conv;
}

PackedConv pack_stride2(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  const at::Tensor taps = weight.flatten(2).unsqueeze(2);  // [out, in, 1, 9]
  // Output (y, x) sees the input rows 2y, 2y + 1, 2y + 2, columns alike: of the picture of even rows y and
  // y + 1, of that of odd rows y.
  PackedConv conv;
  std::vector<at::Tensor> weights;
  for (int parity = 0; parity < 4; ++parity) {
    std::vector<int64_t> of_parity;
    for (int tap = 0; tap < kMaxTaps; ++tap)
      if (tap / 3 % 2 == parity / 2 && tap % 3 % 2 == parity % 2) of_parity.push_back(tap);
    const at::Tensor index =
        at::tensor(of_parity).to(at::TensorOptions().dtype(at::kLong).device(weight.device()));
    conv = packed(taps.index_select(3, index), bias, tile, ConvMode::kStride2);
    weights.push_back(conv.weights.flatten(1));  // [tiles, …]
  }
  conv.weights = at::cat(weights, 1);
  conv.taps = kMaxTaps;
  for (int tap = 0; tap < kMaxTaps; ++tap) {
    const size_t parity = static_cast<size_t>(tap / 3 % 2 * 2 + tap % 3 % 2);
    auto& count = conv.parity_taps[parity];
    conv.tap_offsets[parity][static_cast<size_t>(count++)] = tap_offset(tap / 3 / 2, tap % 3 / 2);
  }
  return conv;
}

PackedConv pack_time(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  return packed(weight.flatten(3), bias, tile, ConvMode::kChannels);
}

PackedConv pack_time_double(const at::Tensor& weight, const at::Tensor& bias, ConvTile tile) {
  PackedConv conv = packed(weight.flatten(3), bias, tile, ConvMode::kTimeDouble);
  conv.out_channels = static_cast<int>(weight.size(0) / 2);
  return conv;
}

}  // namespace sdv2
