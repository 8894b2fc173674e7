// SPDX-License-Identifier: LGPL-2.1-or-later
// The in-band mark: code and pixels.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "slo/mark_code.h"
#include "slo/picture.h"

namespace sdv2 {
namespace {

MarkLevels levels_of(const MarkBits& bits, uint8_t black, uint8_t white) {
  MarkLevels levels{};
  for (int i = 0; i < kMarkBits; ++i) levels[i] = bits[i] ? white : black;
  return levels;
}

TEST(MarkCode, ComesBackAtAnyContrast) {
  const Mark mark{.time = 0x12'3456'789A, .sequence = 0xBEEF};
  for (const auto& [black, white] : {std::pair{24, 228}, {0, 255}, {100, 160}}) {
    const auto read =
        decode_mark(levels_of(encode_mark(mark), static_cast<uint8_t>(black), static_cast<uint8_t>(white)));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->time, mark.time);
    EXPECT_EQ(read->sequence, mark.sequence);
  }
}

TEST(MarkCode, RefusesFlatPictures) {
  EXPECT_FALSE(decode_mark(MarkLevels{}));
  EXPECT_FALSE(decode_mark(levels_of(encode_mark({}), 100, 120)));
}

TEST(MarkCode, NoticesEverySingleAndDoubleError) {
  const MarkLevels levels = levels_of(encode_mark({.time = 987'654'321, .sequence = 77}), 24, 228);
  for (int i = 0; i < kMarkBits; ++i) {
    for (int j = i; j < kMarkBits; ++j) {
      MarkLevels broken = levels;
      broken[i] = static_cast<uint8_t>(252 - broken[i]);
      if (j != i) broken[j] = static_cast<uint8_t>(252 - broken[j]);
      EXPECT_FALSE(decode_mark(broken)) << i << " " << j;
    }
  }
}

TEST(MarkCode, NoiseIsHardlyEverAMark) {
  std::mt19937 random(3);
  int found = 0;
  for (int i = 0; i < 200'000; ++i) {
    MarkLevels levels{};
    for (auto& level : levels) level = static_cast<uint8_t>(random());
    found += decode_mark(levels) ? 1 : 0;
  }
  EXPECT_EQ(found, 0);
}

TEST(MarkCode, AgeWrapsAround) {
  const uint64_t turn = uint64_t{1} << 40;
  EXPECT_EQ(mark_age({.time = 1000}, 1500), 500'000);
  EXPECT_EQ(mark_age({.time = 1500}, 1000), -500'000);
  EXPECT_EQ(mark_age({.time = turn - 100}, turn + 100), 200'000);
  EXPECT_EQ(mark_age({.time = (5 * turn + 7) & (turn - 1)}, 5 * turn + 17), 10'000);
}

// A picture of 176 x 48 with padding, as three components.
struct Picture {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(200 * 48 * 4, 77);
  PictureView view{.width = 176, .height = 48};
};

TEST(MarkPicture, IsDrawnAndReadInPlanarYuv) {
  Picture picture;
  uint8_t* data = picture.bytes.data();
  picture.view.components = 3;
  picture.view.component = {
      {{data, 200, 1, 0, 0}, {data + 200 * 48, 100, 1, 1, 1}, {data + 200 * 72, 100, 1, 1, 1}}};
  ASSERT_TRUE(picture.view.can_carry_mark());
  draw_mark(picture.view, encode_mark({.time = 42, .sequence = 7}));
  const auto read = decode_mark(read_mark_levels(picture.view));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->time, 42u);
  EXPECT_EQ(read->sequence, 7u);
  EXPECT_EQ(data[200 * 48], 128);          // no colour under the mark
  EXPECT_EQ(data[kMarkWidth], 77);         // nothing beside it
  EXPECT_EQ(data[200 * kMarkHeight], 77);  // nor below
  EXPECT_EQ(data[200 * 48 + kMarkWidth / 2], 77);
  EXPECT_EQ(data[200 * 48 + 100 * (kMarkHeight / 2)], 77);
}

TEST(MarkPicture, IsDrawnAndReadInPackedRgbWithoutTouchingAlpha) {
  Picture picture;
  uint8_t* data = picture.bytes.data();
  picture.view.rgb = true;
  picture.view.components = 3;
  picture.view.component = {{{data + 2, 800, 4, 0, 0}, {data + 1, 800, 4, 0, 0}, {data, 800, 4, 0, 0}}};
  draw_mark(picture.view, encode_mark({.time = 43, .sequence = 8}));
  const auto read = decode_mark(read_mark_levels(picture.view));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->time, 43u);
  EXPECT_EQ(data[0], data[1]);
  EXPECT_EQ(data[3], 77);
}

TEST(MarkPicture, NeedsRoom) {
  EXPECT_FALSE((PictureView{.width = kMarkWidth - 1, .height = 480}).can_carry_mark());
  EXPECT_FALSE((PictureView{.width = 640, .height = kMarkHeight - 1}).can_carry_mark());
}

TEST(HashPlane, SeesEveryByteOfThePictureAndNoPadding) {
  std::vector<uint8_t> bytes(20 * 5, 9);
  const Plane plane{.data = bytes.data(), .row_stride = 20, .row_bytes = 13, .rows = 5};
  const uint64_t hash = hash_plane(0, plane, 1, 0);
  EXPECT_EQ(hash_plane(0, plane, 1, 0), hash);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 1;
    if (i % 20 < 13) {
      EXPECT_NE(hash_plane(0, plane, 1, 0), hash) << i;
    } else {
      EXPECT_EQ(hash_plane(0, plane, 1, 0), hash) << i;
    }
    bytes[i] ^= 1;
  }
}

TEST(HashPlane, SkipsRows) {
  std::vector<uint8_t> bytes(8 * 6, 1);
  const Plane plane{.data = bytes.data(), .row_stride = 8, .row_bytes = 8, .rows = 6};
  const uint64_t hash = hash_plane(0, plane, 2, 2);
  bytes[0] = 2;      // row 0: skipped
  bytes[3 * 8] = 2;  // row 3: between steps
  EXPECT_EQ(hash_plane(0, plane, 2, 2), hash);
  bytes[4 * 8] = 2;
  EXPECT_NE(hash_plane(0, plane, 2, 2), hash);
}

}  // namespace
}  // namespace sdv2
