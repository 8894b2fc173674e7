// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/packed_conv_spec.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace sdv2 {

DirectConvSpec spec_of(const PackedConv& conv, const FrameTensor& in, int64_t height, int64_t width,
                       int frames, int group_step, const int* chunk) {
  DirectConvSpec spec;
  spec.tile = conv.tile;
  spec.mode = conv.mode;
  spec.height = static_cast<int>(height);
  spec.width = static_cast<int>(width);
  spec.in_channels = conv.in_channels;
  spec.out_channels = conv.out_channels;
  spec.channel_tiles = conv.channel_tiles;
  spec.frame_groups = frames / conv.tile.frames;
  spec.group_step = group_step;
  spec.taps = conv.taps;
  for (size_t phase = 0; phase < conv.tap_offsets.size(); ++phase) {
    std::copy(conv.tap_offsets[phase].begin(), conv.tap_offsets[phase].end(), spec.tap_offsets[phase]);
    spec.parity_taps[phase] = conv.parity_taps[phase];
  }
  spec.weights = conv.weights.const_data_ptr();
  spec.bias = conv.bias.const_data_ptr<float>();
  spec.chunk = chunk;
  spec.in = in;
  return spec;
}

}  // namespace sdv2
