// SPDX-License-Identifier: LGPL-2.1-or-later
// The in-band mark: a time and a frame number as a small field of black and white blocks that survives video
// coding.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace sdv2 {

// The field is 20 x 4 blocks; a block is 8 x 8 pixels, one bit, white = 1. Bits are laid out row by row from
// the top left:
//
//   8 bits  sync word 0xB2      shows that there is a mark, and what black and white look like here
//   40 bits time                microseconds, modulo 2^40 (12.7 days), most significant bit first
//   16 bits frame number        modulo 2^16
//   16 bits CRC-16/CCITT-FALSE  of the 7 bytes of time and frame number
//
// 8 x 8 is the size of H.264's largest transform, and four blocks fill a macroblock.
inline constexpr int kMarkColumns = 20;
inline constexpr int kMarkRows = 4;
inline constexpr int kMarkBits = kMarkColumns * kMarkRows;
inline constexpr int kMarkBlock = 8;
inline constexpr int kMarkWidth = kMarkColumns * kMarkBlock;
inline constexpr int kMarkHeight = kMarkRows * kMarkBlock;

inline constexpr uint64_t kMarkSequenceModulus = uint64_t{1} << 16;

struct Mark {
  uint64_t time = 0;      // microseconds; the lower 40 bits are kept
  uint16_t sequence = 0;  // frame number
};

using MarkBits = std::array<bool, kMarkBits>;

// Mean brightness of each block, in the order of the bits.
using MarkLevels = std::array<uint8_t, kMarkBits>;

MarkBits encode_mark(const Mark& mark);

// The mark, when the levels hold one: sync word with enough contrast, right CRC.
std::optional<Mark> decode_mark(const MarkLevels& levels);

// Nanoseconds from mark.time to now (microseconds on the same clock), taking the shorter way around 2^40:
// within +- 6.3 days.
int64_t mark_age(const Mark& mark, uint64_t now);

}  // namespace sdv2
