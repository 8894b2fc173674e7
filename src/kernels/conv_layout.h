// SPDX-License-Identifier: LGPL-2.1-or-later
// What the direct convolution kernel (direct_conv.h) and those who prepare its data agree on. No CUDA here.
#pragma once

#include <cstdint>

namespace sdv2 {

// Frames of a stream in a tensor [slots, H, W, C]: frame f of chunk n lies in slot (n·step + first + f) mod
// slots. A ring of new + history slots has step = new: reading begins with the history (first = 0), writing
// behind it (first = history). A plain tensor has step = 0.
struct FrameSlots {
  int slots = 1;
  int step = 0;
  int first = 0;

  int slot(int64_t chunk, int frame) const {
    return static_cast<int>((chunk * step + first + frame) % slots);
  }
};

// Chunk numbers are counted modulo this, a multiple of the period of every ring that is used (new = 1, 2 or
// 4, history = 2: the slots repeat after 3, 2 and 3 chunks).
constexpr int kChunkPeriod = 12;

// What a tile of output channels stands for.
enum class ConvMode : int {
  kChannels,    // a block of the output channels
  kUpsample,    // one of the four pixels that an input pixel becomes (rows and columns doubled)
  kTimeDouble,  // a block of the channels of the earlier, then of the later of two frames
  kStride2,     // a block of the output channels; every second row and column
};

// One compiled instance of the kernel.
struct ConvTile {
  int channels;   // output channels
  int frames;     // output frames that are computed together
  int time_taps;  // 1 or 3
  bool halo;      // whether the taps reach to neighbouring pixels

  friend bool operator==(const ConvTile&, const ConvTile&) = default;
};

// Pixels of a tile, and of its input with the halo.
constexpr int kTileColumns = 16;
constexpr int kTileRows = 8;
constexpr int kHaloColumns = kTileColumns + 2;
constexpr int kHaloRows = kTileRows + 2;

// Input channels that are loaded at a time: 64 bytes, the period of the shared memory swizzle that is used.
constexpr int kChannelStep = 32;

// Where a tap looks: row and column in the input tile with its halo.
constexpr int tap_offset(int row, int column) { return row * kHaloColumns + column; }

constexpr int kMaxTaps = 9;

}  // namespace sdv2
