// SPDX-License-Identifier: LGPL-2.1-or-later
// The configuration of the golden cases that stream chunks through the transformer's caches.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/parity/case.h"
#include "tools/parity/reference_positions.h"

namespace sdv2::parity {

// The bookkeeping of the caches, from a "config" with num_kv_cache, num_sink, adapt_sink_threshold and
// denoising_steps.
ReferenceRingConfig ring_config(const nlohmann::json& config);

struct StreamCase {
  ReferenceStreamConfig stream;
  std::vector<double> timesteps;  // of the denoising steps, noisiest first
  int64_t tokens_per_frame = 0;
  std::optional<int64_t> restart_before_tick;
};

// Reads the "config" of a streaming case. `stream_batch`: whether the kind of case has one row per denoising
// step; `more_fields`: what this kind has beside the common ones. Throws std::runtime_error for a field that
// is not known, a value that does not fit the others, or a "mode" that is not the reference's behaviour: a
// case is refused rather than run as something else.
StreamCase parse_stream_case(const Case& golden, bool stream_batch,
                             const std::set<std::string>& more_fields = {});

}  // namespace sdv2::parity
