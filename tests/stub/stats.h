// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters and times of a session. Not thread-safe: the session's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>

#include "sdv2/sdv2.h"

namespace sdv2::stub {

class Stats {
 public:
  // All counters but those of times are simple fields of the ABI's struct.
  sdv2_session_stats counts{};

  void chunk_finished(int64_t submit_ns, int64_t start_ns, int64_t done_ns);
  void new_stream();

  // The counters together with what follows from the times.
  sdv2_session_stats snapshot() const;
  // "stages", "latency" and "counts" of the JSON form. `device` is that of every stage.
  nlohmann::json to_json(const nlohmann::json& device) const;

 private:
  std::deque<int64_t> latencies_;  // submit to done, of the last chunks
  std::deque<int64_t> work_;       // start to done, of the same chunks
  std::deque<int64_t> intervals_;  // between finished chunks of one stream
  std::optional<int64_t> last_done_;
};

}  // namespace sdv2::stub
