// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session has done so far.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace sdv2 {

// Times are nanoseconds of CLOCK_MONOTONIC. Not thread-safe.
struct SessionStats {
  std::chrono::steady_clock::time_point opened = std::chrono::steady_clock::now();
  uint64_t generation = 0;
  int64_t chunks_submitted = 0;
  int64_t chunks_done = 0;
  int64_t chunks_failed = 0;
  int64_t chunks_dropped = 0;  // by flush
  int64_t chunks_skipped = 0;  // by the similarity filter; they count as done
  int64_t frames_in = 0;
  int64_t frames_out = 0;
  int64_t first_frame_ns = 0;  // first picture put to first chunk done, of the current stream
  int32_t chunks_under_way = 0;
  double noise_scale = 0;  // of the last chunk
  int rung = 0;            // of the degradation ladder, of the last chunk; 0 is full quality

  // A chunk that was submitted at one time is done at another.
  void add_done(int64_t submit_ns, int64_t done_ns);
  // Submit to done, of the last 512 chunks, below which `share` lie; 0 without any.
  int64_t latency_ns(double share) const;
  // Mean of the last 64 intervals between finished chunks; 0 with fewer than two.
  double chunk_interval_ns() const;
  // The next chunk does not follow the ones before.
  void begin_stream() { done_.clear(); }

 private:
  std::deque<int64_t> latencies_;
  std::deque<int64_t> done_;
};

}  // namespace sdv2
