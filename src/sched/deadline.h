// SPDX-License-Identifier: LGPL-2.1-or-later
// When the pictures of a chunk are due. Times are nanoseconds on one monotonic clock that the caller gives:
// CLOCK_MONOTONIC in the engine, a virtual one in tests and simulation.
#pragma once

#include <cstdint>
#include <limits>

namespace sdv2 {

// A chunk that nobody waits for, such as one of a file.
inline constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

// Where media time stands on the clock: the picture with timestamp `media_ns` was captured at `clock_ns`.
struct ClockAnchor {
  int64_t media_ns = 0;
  int64_t clock_ns = 0;
};

// A chunk is due when its first picture is: at that picture's timestamp plus the pipeline's latency. The
// pictures behind it are due one frame duration later each, so they hold when the first one does. Saturates:
// a latency of kNoDeadline gives kNoDeadline.
int64_t deadline_ns(const ClockAnchor& anchor, int64_t first_pts_ns, int64_t latency_ns);

// a + b without overflow: the result stays within int64_t.
int64_t saturating_add(int64_t a, int64_t b);

// Seconds as nanoseconds; saturates, and takes not-a-number as 0.
int64_t seconds_to_ns(double seconds);
inline double ns_to_seconds(int64_t ns) { return static_cast<double>(ns) * 1e-9; }

}  // namespace sdv2
