// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/block_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace sdv2 {
namespace {

// No plan has that many blocks; keeps a wild ratio of times from overflowing.
constexpr double kMaxTarget = 1e6;

std::vector<BlockRange> consecutive(const std::vector<int>& sizes) {
  std::vector<BlockRange> ranges;
  int begin = 0;
  for (const int size : sizes) {
    ranges.push_back({begin, begin + size});
    begin += size;
  }
  return ranges;
}

Result<void> check(std::span<const double> total_times, std::span<const double> block_times,
                   std::span<const BlockRange> current) {
  const auto invalid = [](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, "block split: " + why};
  };
  if (current.empty() || total_times.size() != current.size() || block_times.size() != current.size())
    return invalid(std::to_string(current.size()) + " ranges, " + std::to_string(total_times.size()) +
                   " total and " + std::to_string(block_times.size()) +
                   " block times; there must be one of each per stage");
  int end = 0;
  for (size_t i = 0; i < current.size(); ++i) {
    if (current[i].begin != end || current[i].size() < 0)
      return invalid("range " + std::to_string(i) + " does not follow the one before it");
    end = current[i].end;
    for (const double time : {total_times[i], block_times[i]})
      if (!std::isfinite(time) || time < 0)
        return invalid("a time of stage " + std::to_string(i) + " is negative or not finite");
  }
  if (!std::any_of(block_times.begin(), block_times.end(), [](double time) { return time > 0; }))
    return invalid("the blocks took no time on any stage; measure before rebalancing");
  return {};
}

// Adds or takes single blocks until the sizes sum to `blocks`: added to the smallest stages first, taken from
// the largest first (ties by index), in rounds, never leaving a stage without a block.
void fix_sum(std::vector<int>& sizes, int blocks) {
  std::vector<int> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return sizes[a] < sizes[b]; });
  int missing = blocks - std::accumulate(sizes.begin(), sizes.end(), 0);
  if (missing < 0) std::reverse(order.begin(), order.end());
  for (size_t turn = 0; missing != 0; ++turn) {
    int& size = sizes[order[turn % order.size()]];
    if (missing > 0) {
      ++size;
      --missing;
    } else if (size > 1) {
      --size;
      ++missing;
    }
  }
}

}  // namespace

std::vector<BlockRange> default_block_split(int blocks, int stages) {
  if (stages == 2) return consecutive({blocks / 2, blocks - blocks / 2});
  std::vector<int> sizes(stages, blocks / stages);
  for (int i = 0; i < blocks % stages; ++i) ++sizes[i];
  return consecutive(sizes);
}

Result<std::vector<BlockRange>> rebalance_blocks(std::span<const double> total_times,
                                                 std::span<const double> block_times,
                                                 std::span<const BlockRange> current) {
  SDV2_CHECK(check(total_times, block_times, current));
  const int blocks = current.back().end;
  const auto stages = static_cast<int>(current.size());
  if (stages > blocks) return std::vector<BlockRange>(current.begin(), current.end());

  const double time_per_block = std::accumulate(block_times.begin(), block_times.end(), 0.0) / blocks;
  const double mean_time = std::accumulate(total_times.begin(), total_times.end(), 0.0) / stages;
  std::vector<int> sizes;
  for (int i = 0; i < stages; ++i) {
    const double wanted = current[i].size() + (mean_time - total_times[i]) / time_per_block;
    // nearbyint rounds halves to even, as the reference does.
    sizes.push_back(static_cast<int>(std::nearbyint(std::clamp(wanted, 1.0, kMaxTarget))));
  }
  fix_sum(sizes, blocks);
  return consecutive(sizes);
}

}  // namespace sdv2
