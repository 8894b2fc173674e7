// SPDX-License-Identifier: LGPL-2.1-or-later
// Causal convolutions of a video autoencoder on Hopper, bf16 with float32 sums, frames channels-last.
//
// A thread block loads a tile of 8 × 16 pixels of all frames that it needs, with a halo of one pixel, into
// shared memory, once for each 32 input channels. Every tap of the convolution then is a shifted view of that
// tile, which the matrix unit reads in place. Several output frames of a tile are computed together, so that
// an input frame is loaded once for the three output frames that see it, and weights are loaded once for 256
// or 512 output pixels. Bias, residual, RMS norm and SiLU happen on the sums, before anything is rounded.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "base/result.h"
#include "kernels/conv_layout.h"

namespace sdv2 {

// bf16 [slots, H, W, C] in device memory, 16-byte aligned.
struct FrameTensor {
  void* data = nullptr;
  FrameSlots at;
};

// All pointers are device memory that outlives the convolution.
struct DirectConvSpec {
  ConvTile tile{};
  ConvMode mode = ConvMode::kChannels;
  int height = 0, width = 0;  // of the input; even for kStride2
  int in_channels = 0;        // multiple of 32
  int out_channels = 0;       // multiple of tile.channels; 3 for tile.channels = 8
  int channel_tiles =
      0;  // weight tiles: out_channels / tile.channels, twice that (kTimeDouble), 4 (kUpsample)
  int frame_groups = 0;               // groups of tile.frames output frames
  int group_step = 0;                 // input frames from one group to the next
  int taps = 0;                       // within a frame
  int tap_offsets[4][kMaxTaps] = {};  // per output phase (kUpsample) or input parity (kStride2), else [0]
  int parity_taps[4] = {};  // kStride2: how many of the taps look at each parity of rows and columns

  const void* weights = nullptr;  // of pack_conv (conv_packing.h)
  const float* bias = nullptr;    // one per output channel (kTimeDouble: of both frames)
  const float* gamma = nullptr;   // of the norm; only with y
  const int* chunk = nullptr;     // number of the chunk, below kChunkPeriod

  FrameTensor in;
  // Optional, [slots, H', W', out_channels] of the output. `x` takes sum + bias + residual and may be the
  // residual itself; `y` takes SiLU(RMS norm(the same)), for which a tile must hold all channels of a pixel.
  // With 3 output channels, x is planar [slots, 3, H', W'] and there is no residual and no y.
  FrameTensor residual, x, y;
};

// What the kernel takes; see direct_conv.cu.
struct DirectConvArgs {
  int height, width;  // of the pixels that tiles cover: the input's, or half of them (kStride2)
  int tiles_x, tiles_y, tiles;
  int channel_tiles, frame_groups, group_step;
  int channel_steps;         // input tiles per output tile: 32 channels each, for kStride2 of one parity each
  int steps_per_parity;      // kStride2
  int taps, parity_taps[4];  // per channel step
  int weight_stages;         // per channel tile
  int origin;  // 1 when the input tile begins one row above and one column left of the output tile
  ConvMode mode;
  int out_channels, out_scale, frames_per_frame;
  float norm_scale;  // √out_channels
  int tap_offsets[4][kMaxTaps];
  const int* chunk;
  const unsigned char* weights;
  const float* bias;
  const float* gamma;
  FrameTensor in, residual, x, y;
};

class DirectConv {
 public:
  // For the current device. Error kUnsupported when it is no Hopper GPU or the kernel was not compiled for
  // it, kInvalidArgument when there is no instance for the tile, kDevice when CUDA fails.
  static Result<DirectConv> create(const DirectConvSpec& spec);

  // Queues the convolution of one chunk.
  cudaError_t launch(cudaStream_t stream) const;

 private:
  CUtensorMap in_map_{}, residual_map_{};
  DirectConvArgs args_{};
  const void* kernel_ = nullptr;
  int shared_bytes_ = 0;
  int blocks_ = 0;
};

// Whether this build has the kernel (it is compiled when `90a` is one of the GPU architectures).
bool has_direct_conv();

}  // namespace sdv2
