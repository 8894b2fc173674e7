// SPDX-License-Identifier: LGPL-2.1-or-later
// The packed weights and tap tables, read back as the kernel reads them, must make the convolution that they
// came from. On the CPU: a plain walk over what direct_conv.cu does with tiles.
#include "kernels/conv_packing.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

namespace sdv2 {
namespace {

// The packed weights as [tiles, row's channel, time tap, stage, 32]: swizzle, row order and time order
// undone; a stage is a tap of a channel step.
at::Tensor unpacked(const PackedConv& conv) {
  const int64_t rows = conv.tile.channels, time_taps = conv.tile.time_taps;
  const at::Tensor flat = conv.weights.to(at::kFloat).reshape({conv.channel_tiles, -1, time_taps, rows, 32});
  at::Tensor out = at::empty({conv.channel_tiles, rows, time_taps, flat.size(1), 32}, at::kFloat);
  for (int row = 0; row < rows; ++row)
    for (int unit = 0; unit < 4; ++unit) {
      const int place = unit ^ (row / 2 % 4);
      out.select(1, tile_row_channel(conv.tile.channels, row))
          .narrow(3, unit * 8, 8)
          .copy_(flat.select(3, row).narrow(3, place * 8, 8).permute({0, 2, 1, 3}).flip(1));
    }
  return out;
}

at::Tensor random(at::IntArrayRef shape) { return at::randn(shape).to(at::kBFloat16).to(at::kFloat); }

// Input frame of the kernel's view: [C, rows, columns] with the tile's halo all around (zeros outside).
at::Tensor with_halo(const at::Tensor& frame, int above, int below) {
  return at::constant_pad_nd(frame, {above, below, above, below});
}

// What a tap sees of a frame [C, H, W] that begins `above` rows and columns outside.
at::Tensor seen(const at::Tensor& padded, int offset, int64_t height, int64_t width) {
  return padded.narrow(1, offset / kHaloColumns, height).narrow(2, offset % kHaloColumns, width);
}

// One output frame [rows of the tile, H, W] of channel tile `tile` from the frames that it sees.
at::Tensor computed(const PackedConv& conv, const at::Tensor& weights, int tile,
                    const std::vector<at::Tensor>& frames, int above) {
  const int64_t height = frames[0].size(1), width = frames[0].size(2);
  at::Tensor sum = at::zeros({conv.tile.channels, height, width});
  const auto& offsets = conv.tap_offsets[conv.mode == ConvMode::kUpsample ? static_cast<size_t>(tile) : 0];
  int64_t stage = 0;
  for (int64_t step = 0; step < conv.in_channels / 32; ++step)
    for (int tap = 0; tap < conv.taps; ++tap, ++stage)
      for (int time = 0; time < conv.tile.time_taps; ++time) {
        const at::Tensor part = frames[static_cast<size_t>(time)].narrow(0, step * 32, 32);
        const at::Tensor view = above == 0 ? part
                                           : seen(with_halo(part, above, above),
                                                  offsets[static_cast<size_t>(tap)], height, width);
        sum += at::einsum("oc,chw->ohw", {weights[tile].select(1, time).select(1, stage), view});
      }
  return sum +
         conv.bias
             .narrow(0, conv.mode == ConvMode::kUpsample ? 0 : tile * conv.tile.channels, conv.tile.channels)
             .view({-1, 1, 1});
}

void expect_close(const at::Tensor& got, const at::Tensor& want) {
  ASSERT_EQ(got.sizes(), want.sizes());
  EXPECT_LT((got - want).norm().item<double>(), 1e-5 * want.norm().item<double>());
}

TEST(ConvPacking, RowsOfATileAreAPermutationThatGivesThreadsEightChannelsInARow) {
  for (const int channels : {8, 32, 96, 192}) {
    std::set<int> seen_channels;
    for (int row = 0; row < channels; ++row) seen_channels.insert(tile_row_channel(channels, row));
    EXPECT_EQ(seen_channels.size(), static_cast<size_t>(channels));
    EXPECT_EQ(*seen_channels.rbegin(), channels - 1);
  }
  for (int quad = 0; quad < 4; ++quad)
    for (int i = 0; i < 8; ++i)
      EXPECT_EQ(tile_row_channel(96, 8 * (4 + i / 2) + 2 * quad + i % 2), 32 + 8 * quad + i);
}

TEST(ConvPacking, CausalConvolution) {
  const at::Tensor weight = random({192, 64, 3, 3, 3}), bias = random({192}), x = random({3, 64, 5, 7});
  const PackedConv conv = pack_conv(weight, bias, {96, 4, 3, true});
  EXPECT_EQ(conv.channel_tiles, 2);
  const at::Tensor weights = unpacked(conv);
  const at::Tensor got =
      at::cat({computed(conv, weights, 0, x.unbind(), 1), computed(conv, weights, 1, x.unbind(), 1)});
  const at::Tensor want = at::conv3d(x.transpose(0, 1).unsqueeze(0), weight, bias, at::IntArrayRef{1, 1, 1},
                                     at::IntArrayRef{0, 1, 1});
  expect_close(got, want.squeeze(0).squeeze(1));
}

TEST(ConvPacking, FillsUpChannelsWithZeros) {
  const at::Tensor weight = random({3, 16, 3, 3, 3}), bias = random({3}), x = random({3, 16, 4, 6});
  const PackedConv conv = pack_conv(weight, bias, {8, 4, 3, true});
  EXPECT_EQ(conv.in_channels, 32);
  EXPECT_EQ(conv.out_channels, 3);
  const at::Tensor wide = at::constant_pad_nd(x, {0, 0, 0, 0, 0, 16}, 1e3);
  const at::Tensor got = computed(conv, unpacked(conv), 0, wide.unbind(), 1);
  const at::Tensor want = at::conv3d(x.transpose(0, 1).unsqueeze(0), weight, bias, at::IntArrayRef{1, 1, 1},
                                     at::IntArrayRef{0, 1, 1});
  expect_close(got.narrow(0, 0, 3), want.squeeze(0).squeeze(1));
}

TEST(ConvPacking, Pointwise) {
  const at::Tensor weight = random({192, 96, 1, 1, 1}), bias = random({192}), x = random({1, 96, 3, 5});
  const PackedConv conv = pack_pointwise(weight, bias, {192, 2, 1, true});
  expect_close(computed(conv, unpacked(conv), 0, x.unbind(), 1), at::conv2d(x, weight.squeeze(-1), bias)[0]);
}

TEST(ConvPacking, FirstConvolutionOnPackedPictures) {
  const at::Tensor weight = random({96, 3, 3, 3, 3}), bias = random({96}), x = random({3, 3, 5, 7});
  const PackedConv conv = pack_picture_conv(weight, bias, {96, 4, 1, true});
  // As launch_pack_pictures does: channel (time·3 + column)·3 + colour.
  const at::Tensor padded = at::constant_pad_nd(x, {1, 1});
  std::vector<at::Tensor> channels;
  for (int time = 0; time < 3; ++time)
    for (int column = 0; column < 3; ++column) channels.push_back(padded[time].narrow(2, column, 7));
  channels.push_back(at::zeros({5, 5, 7}));
  const at::Tensor want = at::conv3d(x.transpose(0, 1).unsqueeze(0), weight, bias, at::IntArrayRef{1, 1, 1},
                                     at::IntArrayRef{0, 1, 1});
  expect_close(computed(conv, unpacked(conv), 0, {at::cat(channels)}, 1), want.squeeze(0).squeeze(1));
}

TEST(ConvPacking, Upsampling) {
  const at::Tensor weight = random({96, 32, 3, 3}), bias = random({96}), x = random({1, 32, 4, 5});
  const PackedConv conv = pack_upsample(weight, bias, {96, 4, 1, true});
  const at::Tensor weights = unpacked(conv);
  const at::Tensor want = at::conv2d(at::upsample_nearest2d(x, {8, 10}), weight, bias, at::IntArrayRef{1, 1},
                                     at::IntArrayRef{1, 1})[0];
  for (int phase = 0; phase < 4; ++phase) {
    const at::Tensor got = computed(conv, weights, phase, x.unbind(), 1);
    const at::Tensor pixels = want.slice(1, phase / 2, std::nullopt, 2).slice(2, phase % 2, std::nullopt, 2);
    EXPECT_LT((got - pixels).norm().item<double>(),
              5e-3 * pixels.norm().item<double>());  // summed, then rounded
  }
}

TEST(ConvPacking, EverySecondRowAndColumn) {
  const at::Tensor weight = random({96, 64, 3, 3}), bias = random({96}), x = random({64, 8, 12});
  const PackedConv conv = pack_stride2(weight, bias, {96, 4, 1, true});
  const at::Tensor weights = unpacked(conv);
  at::Tensor sum = bias.view({-1, 1, 1}).expand({96, 4, 6}).clone();
  int64_t stage = 0;
  for (int parity = 0; parity < 4; ++parity) {
    const at::Tensor part = x.slice(1, parity / 2, std::nullopt, 2).slice(2, parity % 2, std::nullopt, 2);
    const at::Tensor padded = at::constant_pad_nd(part, {0, 1, 0, 1});
    for (int64_t step = 0; step < 2; ++step)
      for (int tap = 0; tap < conv.parity_taps[static_cast<size_t>(parity)]; ++tap, ++stage)
        sum +=
            at::einsum("oc,chw->ohw",
                       {weights[0].select(1, 0).select(1, stage),
                        seen(padded.narrow(0, step * 32, 32),
                             conv.tap_offsets[static_cast<size_t>(parity)][static_cast<size_t>(tap)], 4, 6)});
  }
  EXPECT_EQ(stage, weights.size(3));
  const at::Tensor want = at::conv2d(at::constant_pad_nd(x, {0, 1, 0, 1}).unsqueeze(0), weight, bias,
                                     at::IntArrayRef{2, 2}, at::IntArrayRef{0, 0})[0];
  expect_close(sum, want);
}

TEST(ConvPacking, OverTime) {
  const at::Tensor weight = random({384, 32, 3, 1, 1}), bias = random({384}), x = random({3, 32, 3, 4});
  const at::Tensor want = at::conv3d(x.transpose(0, 1).unsqueeze(0), weight, bias).squeeze(0).squeeze(1);
  const PackedConv single = pack_time(weight, bias, {192, 1, 3, false});
  const PackedConv doubled = pack_time_double(weight, bias, {192, 1, 3, false});
  EXPECT_EQ(single.out_channels, 384);
  EXPECT_EQ(doubled.out_channels, 192);
  for (const PackedConv& conv : {single, doubled})
    for (int tile = 0; tile < 2; ++tile)
      expect_close(computed(conv, unpacked(conv), tile, x.unbind(), 0), want.narrow(0, tile * 192, 192));
}

TEST(ConvPacking, SlotsOfEveryRingRepeatWithinThePeriod) {
  for (const int fresh : {1, 2, 4}) {
    const FrameSlots read{fresh + 2, fresh, 0}, write{fresh + 2, fresh, 2};
    for (int chunk = 0; chunk < 3 * kChunkPeriod; ++chunk) {
      for (int frame = 0; frame < fresh + 2; ++frame)
        EXPECT_EQ(read.slot(chunk, frame), read.slot(chunk % kChunkPeriod, frame));
      for (int frame = 0; frame < fresh; ++frame)
        EXPECT_EQ(read.slot(chunk, 2 + frame), write.slot(chunk, frame));
      for (int frame = 0; frame < 2; ++frame)  // the last two frames are the history of the next chunk
        EXPECT_EQ(read.slot(chunk, fresh + frame), read.slot(chunk + 1, frame));
    }
  }
}

}  // namespace
}  // namespace sdv2
