// SPDX-License-Identifier: LGPL-2.1-or-later
// How attention is divided among the processors of a GPU: index logic of the kernels in attention.cu, which
// the host runs too, for its tests.
//
// A tile is 128 queries of one head of one row; its work is the blocks of keys of its row, taken one after
// the other. Processors (one thread block each) take whole tiles in turn, as many for each; the blocks of the
// tiles that are left form one line, which is cut into equal parts. A tile that is cut gives partial results,
// which merge_attention puts together.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace sdv2 {

struct AttentionTiles {
  int rows = 0;
  int heads = 0;
  int query_tiles = 0;  // of a head
  int processors = 0;

  SDV2_HOST_DEVICE int per_row() const { return heads * query_tiles; }
  SDV2_HOST_DEVICE int count() const { return rows * per_row(); }
  SDV2_HOST_DEVICE int row(int tile) const { return tile / per_row(); }
  SDV2_HOST_DEVICE int head(int tile) const { return tile % per_row() / query_tiles; }
  SDV2_HOST_DEVICE int query_tile(int tile) const { return tile % query_tiles; }
};

enum class AttentionBalance : int {
  kWholeTiles,     // no tile is cut: for few keys
  kCutRemainder,   // the tiles of the last, incomplete round are cut: when all rows have equally many keys
  kCutEverything,  // else
};

// Blocks first … last-1 of a tile.
struct AttentionPart {
  int tile = 0;
  int first = 0;
  int last = 0;
};

// `valid`: the number of keys of each row, at least 1. kBlock: keys of a block.
template <int kBlock>
class AttentionSchedule {
 public:
  SDV2_HOST_DEVICE AttentionSchedule(const AttentionTiles& tiles, AttentionBalance balance, const int* valid)
      : tiles_(tiles), valid_(valid), uniform_(balance == AttentionBalance::kCutRemainder) {
    const int count = tiles.count();
    whole_ = balance == AttentionBalance::kWholeTiles ? count
             : uniform_                               ? count / tiles.processors * tiles.processors
                                                      : 0;
    blocks_of_first_ = blocks_of_row(0);
    cut_blocks_ = line_begin(count);
  }

  // Tiles 0 … whole_tiles()-1 are not cut.
  SDV2_HOST_DEVICE int whole_tiles() const { return whole_; }

  SDV2_HOST_DEVICE int blocks(int tile) const {
    return uniform_ ? blocks_of_first_ : blocks_of_row(tiles_.row(tile));
  }

  // Where a tile that may be cut begins in the line of blocks.
  SDV2_HOST_DEVICE int line_begin(int tile) const {
    if (uniform_) return (tile - whole_) * blocks_of_first_;
    if (whole_ > 0) return 0;
    int begin = 0;
    for (int row = 0; row < tiles_.rows; ++row) {
      const int before = tile - row * tiles_.per_row();
      begin += (before < 0 ? 0 : before > tiles_.per_row() ? tiles_.per_row() : before) * blocks_of_row(row);
    }
    return begin;
  }

  // The processor's share of the line: from share_begin(processor) to share_begin(processor + 1).
  SDV2_HOST_DEVICE int share_begin(int processor) const {
    return static_cast<int>(int64_t{cut_blocks_} * processor / tiles_.processors);
  }

  // The tile of a block of the line.
  SDV2_HOST_DEVICE int tile_at(int block) const {
    if (uniform_) return whole_ + block / blocks_of_first_;
    int row = 0;
    for (; row < tiles_.rows - 1; ++row) {
      const int of_row = tiles_.per_row() * blocks_of_row(row);
      if (block < of_row) break;
      block -= of_row;
    }
    return row * tiles_.per_row() + block / blocks_of_row(row);
  }

  // The processor whose share a block of the line is in.
  SDV2_HOST_DEVICE int processor_at(int block) const {
    int processor = static_cast<int>(int64_t{block} * tiles_.processors / cut_blocks_);
    while (share_begin(processor + 1) <= block) ++processor;
    while (share_begin(processor) > block) --processor;
    return processor;
  }

  // Where a processor leaves a partial result. A share has at most two: of a tile that it begins in the
  // middle, and of one that it begins at its first block but does not finish.
  SDV2_HOST_DEVICE static int partial_slot(int processor, bool from_first_block) {
    return 2 * processor + (from_first_block ? 1 : 0);
  }

 private:
  SDV2_HOST_DEVICE int blocks_of_row(int row) const { return (valid_[row] + kBlock - 1) / kBlock; }

  AttentionTiles tiles_;
  const int* valid_;
  bool uniform_;
  int whole_ = 0;
  int blocks_of_first_ = 0;
  int cut_blocks_ = 0;
};

// The parts of one processor, in the order in which it runs them.
template <int kBlock>
class AttentionShare {
 public:
  SDV2_HOST_DEVICE AttentionShare(const AttentionSchedule<kBlock>& schedule, int processor, int processors)
      : schedule_(schedule),
        processors_(processors),
        tile_(processor),
        block_(schedule.share_begin(processor)),
        end_(schedule.share_begin(processor + 1)) {}

  // False when there is none left.
  SDV2_HOST_DEVICE bool next(AttentionPart& part) {
    if (tile_ < schedule_.whole_tiles()) {
      part = {tile_, 0, schedule_.blocks(tile_)};
      tile_ += processors_;
      return true;
    }
    if (block_ >= end_) return false;
    part.tile = schedule_.tile_at(block_);
    const int begin = schedule_.line_begin(part.tile);
    const int blocks = schedule_.blocks(part.tile);
    part.first = block_ - begin;
    part.last = end_ - begin < blocks ? end_ - begin : blocks;
    block_ = begin + part.last;
    return true;
  }

 private:
  const AttentionSchedule<kBlock>& schedule_;
  int processors_;
  int tile_;
  int block_;
  int end_;
};

}  // namespace sdv2
