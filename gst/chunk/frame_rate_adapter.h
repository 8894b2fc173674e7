// SPDX-License-Identifier: LGPL-2.1-or-later
// Maps frames that come at any rate onto a fixed grid of times, by dropping and repeating. Nothing is
// accumulated, so nothing drifts.
#pragma once

#include <cstdint>
#include <optional>

namespace sdv2 {

// Times are running times in nanoseconds, signed. Slot k of the grid lies at anchor + k / rate; the anchor is
// the first frame's time. A frame goes to the slot nearest to it, so that its time is moved by at most half a
// frame. Frames are never held back: a slot that no frame hit is filled when the next frame shows that it
// stayed empty. Not thread-safe.
class FrameRateAdapter {
 public:
  // numerator / denominator: frames per second, both > 0. max_fill: the most empty slots in a row that are
  // filled; a longer gap is left open.
  FrameRateAdapter(int numerator, int denominator, uint32_t max_fill);

  struct Plan {
    bool gap =
        false;  // slots before this frame stay empty, or time went back: the stream is interrupted here
    uint32_t fill = 0;       // repeats of the frame before this one, from first_slot on
    uint32_t copies = 0;     // of this frame, after the repeats; 0: drop it
    int64_t first_slot = 0;  // of the first repeat or copy
  };

  // Places the next frame. duration: how long it is shown, when known: it then takes all slots of that time
  // at once.
  Plan place(int64_t time, std::optional<int64_t> duration);

  // The time of a slot, rounded to the nanosecond.
  int64_t slot_time(int64_t slot) const;

  // Forgets the grid; the next frame is its anchor.
  void reset() { anchored_ = false; }

 private:
  int64_t nearest_slot(int64_t time) const;

  int64_t slots_;   // per period_
  int64_t period_;  // ns
  int64_t max_fill_;
  int64_t anchor_ = 0;
  int64_t next_slot_ = 0;  // the first slot that no frame has taken
  bool anchored_ = false;
};

}  // namespace sdv2
