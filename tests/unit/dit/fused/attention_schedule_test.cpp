// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/attention_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace sdv2 {
namespace {

constexpr int kBlock = 144;
using Schedule = AttentionSchedule<kBlock>;

struct Situation {
  const char* name;
  int rows, heads, query_tiles, processors;
  AttentionBalance balance;
  std::vector<int> valid;  // keys per row
};

class AttentionScheduleTest : public testing::TestWithParam<Situation> {
 protected:
  AttentionTiles tiles() const {
    return {GetParam().rows, GetParam().heads, GetParam().query_tiles, GetParam().processors};
  }
  Schedule schedule() const { return {tiles(), GetParam().balance, GetParam().valid.data()}; }
  std::vector<AttentionPart> parts_of(int processor) const {
    const Schedule all = schedule();
    AttentionShare<kBlock> share(all, processor, GetParam().processors);
    std::vector<AttentionPart> parts;
    for (AttentionPart part; share.next(part);) parts.push_back(part);
    return parts;
  }
};

TEST_P(AttentionScheduleTest, EveryBlockOfEveryTileIsDoneOnce) {
  std::map<std::pair<int, int>, int> done;
  for (int processor = 0; processor < GetParam().processors; ++processor)
    for (const AttentionPart& part : parts_of(processor)) {
      ASSERT_LT(part.first, part.last);
      for (int block = part.first; block < part.last; ++block) ++done[{part.tile, block}];
    }
  size_t wanted = 0;
  for (int tile = 0; tile < tiles().count(); ++tile) {
    const int keys = GetParam().valid[static_cast<size_t>(tiles().row(tile))];
    for (int block = 0; block * kBlock < keys; ++block, ++wanted) EXPECT_EQ((done[{tile, block}]), 1) << tile;
  }
  EXPECT_EQ(done.size(), wanted);
}

// merge_kernel looks for the parts of a tile where the processors left them.
TEST_P(AttentionScheduleTest, PartsOfACutTileAreWhereTheMergeLooks) {
  const Schedule all = schedule();
  std::map<int, int> owner;                   // slot → tile
  std::map<int, std::set<int>> slots_of_cut;  // tile → slots
  for (int processor = 0; processor < GetParam().processors; ++processor)
    for (const AttentionPart& part : parts_of(processor)) {
      if (part.first == 0 && part.last == all.blocks(part.tile)) continue;
      const int slot = Schedule::partial_slot(processor, part.first == 0);
      EXPECT_TRUE(owner.emplace(slot, part.tile).second) << "two parts in slot " << slot;
      slots_of_cut[part.tile].insert(slot);
    }
  for (int tile = all.whole_tiles(); tile < tiles().count(); ++tile) {
    const int begin = all.line_begin(tile);
    const int first = all.processor_at(begin), last = all.processor_at(begin + all.blocks(tile) - 1);
    std::set<int> found;
    for (int i = first; first != last && i <= last; ++i)
      if (all.share_begin(i) != all.share_begin(i + 1)) found.insert(Schedule::partial_slot(i, i == first));
    EXPECT_EQ(found, slots_of_cut[tile]) << "tile " << tile;
  }
  for (const auto& [tile, slots] : slots_of_cut) EXPECT_TRUE(slots.empty() || tile >= all.whole_tiles());
}

// The point of it: nobody has more than a block (a tile, when none is cut) above another.
TEST_P(AttentionScheduleTest, SharesAreEven) {
  int least = INT32_MAX, most = 0;
  for (int processor = 0; processor < GetParam().processors; ++processor) {
    int share = 0;
    for (const AttentionPart& part : parts_of(processor))
      share += GetParam().balance == AttentionBalance::kWholeTiles ? 1 : part.last - part.first;
    least = std::min(least, share);
    most = std::max(most, share);
  }
  EXPECT_LE(most - least, 1);
}

const Situation kSituations[] = {
    {"one_row_full", 1, 12, 13, 132, AttentionBalance::kCutRemainder, {9360}},
    {"one_row_first_chunk", 1, 12, 13, 132, AttentionBalance::kCutRemainder, {1560}},
    {"fewer_blocks_than_processors", 1, 2, 1, 132, AttentionBalance::kCutRemainder, {6}},
    {"nothing_is_left_to_cut", 2, 66, 1, 132, AttentionBalance::kCutRemainder, {700, 700}},
    {"rows_of_one_length", 4, 12, 13, 132, AttentionBalance::kCutRemainder, {9360, 9360, 9360, 9360}},
    {"mixed", 2, 12, 13, 132, AttentionBalance::kCutEverything, {9360, 3120}},
    {"very_mixed", 4, 12, 13, 132, AttentionBalance::kCutEverything, {1560, 4680, 6240, 9360}},
    {"mixed_and_few", 3, 1, 1, 132, AttentionBalance::kCutEverything, {1, 145, 300}},
    {"wide", 2, 40, 29, 114, AttentionBalance::kCutEverything, {21600, 3600}},
    {"whole_tiles", 3, 5, 7, 16, AttentionBalance::kWholeTiles, {512, 512, 40}},
};

INSTANTIATE_TEST_SUITE_P(All, AttentionScheduleTest, testing::ValuesIn(kSituations),
                         [](const auto& situation) { return std::string(situation.param.name); });

}  // namespace
}  // namespace sdv2
