// SPDX-License-Identifier: LGPL-2.1-or-later
// The forward passes that the reference runs for a stream, for golden traces: which rows, at which positions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sdv2::parity {

struct ReferenceScheduleConfig {
  int64_t slots = 0;             // K
  int64_t steps = 1;             // B, denoising steps
  int64_t frames_per_chunk = 1;  // P
  bool text_to_video = false;    // the first chunk has P latent frames instead of 1 + P
  bool stream_batch = true;  // one row per step, instead of one row that runs the steps one after the other
  std::optional<int64_t> refresh_at;           // a start frame that reaches this becomes K-1
  std::optional<int64_t> restart_before_tick;  // a second session begins there
};

struct ReferenceForward {
  std::string tick;  // "prepare", "prepare2" or the tick's number
  int64_t step = 0;  // within the tick
  int64_t frames = 0;
  std::vector<int64_t> starts;  // per row
  bool new_session = false;     // caches are dropped before it
};

// The passes of the first chunk and of ticks 1 … `ticks`.
std::vector<ReferenceForward> reference_schedule(const ReferenceScheduleConfig& config, int64_t ticks);

}  // namespace sdv2::parity
