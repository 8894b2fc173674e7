// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of a streamed chunk with its index record in a golden case.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/parity/case.h"
#include "tools/parity/reference_stream.h"

namespace sdv2::parity {

// Compares timesteps, start frames, draws, and per forward pass and block the cache bookkeeping (exact) and
// the sinks' similarities (within 1e-4, or 0.02 in a low precision), with those fields that the record has.
// `draws`: names of the noise drawn, compared with the record's "noises" or "draws".
void compare_chunk(const std::string& what, const ReferenceChunk& got, const std::vector<std::string>& draws,
                   const nlohmann::json& record, bool low_precision, Report& report);

}  // namespace sdv2::parity
