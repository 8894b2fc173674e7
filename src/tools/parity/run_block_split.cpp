// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind block_split: default ranges and the rebalancing rule.
#include "stream/block_split.h"
#include "tools/parity/kinds.h"

namespace sdv2::parity {
namespace {

std::vector<BlockRange> ranges_of(const nlohmann::json& json) {
  std::vector<BlockRange> ranges;
  for (const auto& range : json) ranges.push_back({range.at(0), range.at(1)});
  return ranges;
}

std::string to_text(const std::vector<BlockRange>& ranges) {
  std::string text;
  for (const auto& range : ranges)
    text += "[" + std::to_string(range.begin) + "," + std::to_string(range.end) + ")";
  return text;
}

}  // namespace

void run_block_split(const Case& loaded, at::Device, Report& report) {
  for (const auto& row : loaded.json.at("default_split")) {
    const auto got = default_block_split(row.at("blocks"), row.at("ranks"));
    report.exact("default split " + row.dump(), got == ranges_of(row.at("ranges")), to_text(got));
  }
  for (const auto& row : loaded.json.at("rows")) {
    const auto got =
        rebalance_blocks(row.at("t_total").get<std::vector<double>>(),
                         row.at("t_dit").get<std::vector<double>>(), ranges_of(row.at("current")));
    report.exact("rebalance " + row.dump(), got.ok() && *got == ranges_of(row.at("new")),
                 got.ok() ? to_text(*got) : got.error().message);
  }
}

}  // namespace sdv2::parity
