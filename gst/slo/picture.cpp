// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixel work of the SLO meter.
#include "slo/picture.h"

#include <bit>
#include <cstring>

namespace sdv2 {
namespace {

// Inside the narrow range and away from its ends, so that no conversion clips them.
constexpr uint8_t kBlack = 24;
constexpr uint8_t kWhite = 228;
constexpr uint8_t kNoColour = 128;

// The inner pixels of a block that are read.
constexpr int kMargin = 2;
constexpr int kInner = kMarkBlock - 2 * kMargin;

void draw_bits(const Component& c, const MarkBits& bits) {
  for (int y = 0; y < kMarkHeight; ++y) {
    uint8_t* sample = c.data + y * c.row_stride;
    const bool* row = &bits[static_cast<size_t>(y / kMarkBlock) * kMarkColumns];
    for (int x = 0; x < kMarkWidth; ++x, sample += c.pixel_stride)
      *sample = row[x / kMarkBlock] ? kWhite : kBlack;
  }
}

void clear_colour(const Component& c) {
  for (int y = 0; y < kMarkHeight >> c.height_shift; ++y) {
    uint8_t* sample = c.data + y * c.row_stride;
    for (int x = 0; x < kMarkWidth >> c.width_shift; ++x, sample += c.pixel_stride) *sample = kNoColour;
  }
}

int sum_of_block(const Component& c, int left, int top) {
  int sum = 0;
  for (int y = 0; y < kInner; ++y) {
    const uint8_t* sample = c.data + (top + y) * c.row_stride + left * c.pixel_stride;
    for (int x = 0; x < kInner; ++x, sample += c.pixel_stride) sum += *sample;
  }
  return sum;
}

}  // namespace

void draw_mark(const PictureView& picture, const MarkBits& bits) {
  for (int i = 0; i < picture.components; ++i) {
    if (picture.rgb || i == 0) {
      draw_bits(picture.component[i], bits);
    } else {
      clear_colour(picture.component[i]);
    }
  }
}

MarkLevels read_mark_levels(const PictureView& picture) {
  MarkLevels levels{};
  const int bright = picture.rgb ? picture.components : 1;
  for (int i = 0; i < kMarkBits; ++i) {
    const int left = i % kMarkColumns * kMarkBlock + kMargin;
    const int top = i / kMarkColumns * kMarkBlock + kMargin;
    int sum = 0;
    for (int c = 0; c < bright; ++c) sum += sum_of_block(picture.component[c], left, top);
    levels[i] = static_cast<uint8_t>(sum / (bright * kInner * kInner));
  }
  return levels;
}

// Multiply, rotate, mix on 8 bytes at a time (the scheme of wyhash and its kin): several bytes per cycle, and
// every input bit counts.
uint64_t hash_plane(uint64_t hash, const Plane& plane, int row_step, int skip_rows) {
  constexpr uint64_t kFactor = 0x9E3779B97F4A7C15;
  for (int y = skip_rows; y < plane.rows; y += row_step) {
    const uint8_t* row = plane.data + y * plane.row_stride;
    size_t at = 0;
    for (; at + 8 <= plane.row_bytes; at += 8) {
      uint64_t word;
      std::memcpy(&word, row + at, 8);
      hash = std::rotl((hash ^ word) * kFactor, 29);
    }
    for (; at < plane.row_bytes; ++at) hash = std::rotl((hash ^ row[at]) * kFactor, 29);
  }
  return hash;
}

}  // namespace sdv2
