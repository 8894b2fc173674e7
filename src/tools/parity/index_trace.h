// SPDX-License-Identifier: LGPL-2.1-or-later
// Index records of the golden cases: which slots each forward pass wrote, and the state after it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/parity/case.h"
#include "tools/parity/reference_ring.h"

namespace sdv2::parity {

// The record of one block in that of a forward pass, which has either "blocks" (one each), "all_blocks", or
// the fields themselves.
const nlohmann::json& block_record(const nlohmann::json& forward, size_t block);

// Compares a block's state after a forward pass with its record, exactly.
void compare_index(const std::string& what, const ReferenceRing& got, const nlohmann::json& want,
                   Report& report);

}  // namespace sdv2::parity
