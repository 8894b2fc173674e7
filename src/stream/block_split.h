// SPDX-License-Identifier: LGPL-2.1-or-later
// How the transformer blocks are divided among the stages of a pipeline.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// Blocks begin … end-1.
struct BlockRange {
  int begin = 0;
  int end = 0;

  int size() const { return end - begin; }
  bool operator==(const BlockRange&) const = default;
};

// The split to start with: equal shares in order, the remainder one block each to the first stages. With two
// stages the second takes the odd block, because the first one also encodes. `blocks` >= 0, `stages` >= 1;
// with more stages than blocks the last ranges are empty.
std::vector<BlockRange> default_block_split(int blocks, int stages);

// The reference's rebalancing rule: moves blocks so that every stage takes about the mean time. `total_times`
// is the time of each stage per tick (encoding, blocks, decoding), `block_times` the part spent in its
// blocks; any unit, the same for all. `current` are consecutive ranges that cover all blocks. Every stage
// keeps at least one block; with more stages than blocks nothing changes. kInvalidArgument when the sizes
// disagree, the ranges are not consecutive, or a time is negative, not finite or the blocks took no time at
// all.
Result<std::vector<BlockRange>> rebalance_blocks(std::span<const double> total_times,
                                                 std::span<const double> block_times,
                                                 std::span<const BlockRange> current);

}  // namespace sdv2
