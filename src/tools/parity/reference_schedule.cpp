// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/reference_schedule.h"

#include <algorithm>

namespace sdv2::parity {

std::vector<ReferenceForward> reference_schedule(const ReferenceScheduleConfig& config, int64_t ticks) {
  const int64_t first_frames = config.frames_per_chunk + (config.text_to_video ? 0 : 1);
  std::vector<ReferenceForward> passes;
  std::vector<int64_t> starts;  // of the rows, newest chunk first
  int64_t next = 0;             // start frame of the next chunk

  const auto prepare = [&](const std::string& name) {
    for (int64_t step = 0; step < config.steps; ++step)
      passes.push_back({name, step, first_frames, {0}, /*new_session=*/step == 0});
    next = first_frames;
    starts.assign(config.stream_batch ? static_cast<size_t>(config.steps) : 1, next);
  };

  prepare("prepare");
  for (int64_t tick = 1; tick <= ticks; ++tick) {
    if (tick == config.restart_before_tick) prepare("prepare2");
    if (config.refresh_at && next >= *config.refresh_at) next = config.slots - 1;
    std::shift_right(starts.begin(), starts.end(), 1);
    starts.front() = next;
    next += config.frames_per_chunk;
    for (int64_t step = 0; step < (config.stream_batch ? 1 : config.steps); ++step)
      passes.push_back({std::to_string(tick), step, config.frames_per_chunk, starts});
  }
  return passes;
}

}  // namespace sdv2::parity
