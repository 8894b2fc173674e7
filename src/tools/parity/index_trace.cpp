// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/index_trace.h"

namespace sdv2::parity {
namespace {

nlohmann::json record_of(const ReferenceRing& ring) {
  nlohmann::json record = {{"slots_written", nlohmann::json::array()},
                           {"lend", nlohmann::json::array()},
                           {"gend", nlohmann::json::array()},
                           {"cur", ring.steps_left()},
                           {"ring", ring.lists()}};
  for (const auto& row : ring.rows()) {
    auto slots = nlohmann::json::array();
    for (int64_t i = 0; i < ring.frames_written(); ++i) slots.push_back(row.first_slot + i);
    record["slots_written"].push_back(std::move(slots));
    record["lend"].push_back(row.lend);
    record["gend"].push_back(row.gend);
  }
  return record;
}

}  // namespace

const nlohmann::json& block_record(const nlohmann::json& forward, size_t block) {
  if (forward.contains("all_blocks")) return forward.at("all_blocks");
  if (forward.contains("blocks")) return forward.at("blocks").at(block);
  return forward;
}

void compare_index(const std::string& what, const ReferenceRing& got, const nlohmann::json& want,
                   Report& report) {
  const nlohmann::json record = record_of(got);
  for (const auto& [field, value] : record.items()) {
    const bool equal = value == want.at(field);
    report.exact(what + " " + field, equal, equal ? "" : value.dump() + ", wanted " + want.at(field).dump());
  }
}

}  // namespace sdv2::parity
