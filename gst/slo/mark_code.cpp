// SPDX-License-Identifier: LGPL-2.1-or-later
// Coding of the in-band mark.
#include "slo/mark_code.h"

namespace sdv2 {
namespace {

constexpr uint8_t kSyncWord = 0xB2;
constexpr int kSyncBits = 8;
constexpr int kTimeBits = 40;
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;
constexpr int kPayloadBytes = 7;

// Black and white closer than this are a picture that happens to look like the sync word.
constexpr int kLeastContrast = 48;

bool sync_bit(int i) { return (kSyncWord >> (kSyncBits - 1 - i)) & 1; }

uint64_t pack(const Mark& mark) { return (mark.time & kTimeMask) << 16 | mark.sequence; }

// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, no reflection.
uint16_t crc_of(uint64_t payload) {
  uint16_t crc = 0xFFFF;
  for (int byte = kPayloadBytes - 1; byte >= 0; --byte) {
    crc = static_cast<uint16_t>(crc ^ ((payload >> (8 * byte)) & 0xFF) << 8);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<uint16_t>(crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021 : 0));
  }
  return crc;
}

}  // namespace

MarkBits encode_mark(const Mark& mark) {
  MarkBits bits{};
  int at = 0;
  for (int i = 0; i < kSyncBits; ++i) bits[at++] = sync_bit(i);
  const uint64_t payload = pack(mark);
  for (int i = 8 * kPayloadBytes - 1; i >= 0; --i) bits[at++] = (payload >> i) & 1;
  const uint16_t crc = crc_of(payload);
  for (int i = 15; i >= 0; --i) bits[at++] = (crc >> i) & 1;
  return bits;
}

std::optional<Mark> decode_mark(const MarkLevels& levels) {
  int darkest_white = 255;
  int brightest_black = 0;
  int white = 0;
  int black = 0;
  int whites = 0;
  for (int i = 0; i < kSyncBits; ++i) {
    if (sync_bit(i)) {
      darkest_white = levels[i] < darkest_white ? levels[i] : darkest_white;
      white += levels[i];
      ++whites;
    } else {
      brightest_black = levels[i] > brightest_black ? levels[i] : brightest_black;
      black += levels[i];
    }
  }
  if (darkest_white - brightest_black < kLeastContrast) return std::nullopt;
  const int threshold = (white / whites + black / (kSyncBits - whites)) / 2;

  uint64_t payload = 0;
  uint16_t crc = 0;
  for (int i = kSyncBits; i < kMarkBits; ++i) {
    const unsigned bit = levels[i] > threshold ? 1 : 0;
    if (i < kSyncBits + 8 * kPayloadBytes) {
      payload = payload << 1 | bit;
    } else {
      crc = static_cast<uint16_t>(crc << 1 | bit);
    }
  }
  if (crc != crc_of(payload)) return std::nullopt;
  return Mark{.time = payload >> 16, .sequence = static_cast<uint16_t>(payload & 0xFFFF)};
}

int64_t mark_age(const Mark& mark, uint64_t now) {
  const uint64_t age = (now - mark.time) & kTimeMask;
  const bool negative = age > kTimeMask / 2;
  return (static_cast<int64_t>(age) - (negative ? int64_t{1} << kTimeBits : 0)) * 1000;
}

}  // namespace sdv2
