// SPDX-License-Identifier: LGPL-2.1-or-later
// Which ready rows make the next forward on a device, so that no deadline breaks and the device does the most
// work: the decision of the scheduler as a pure function. The same code runs with real and with virtual
// clocks.
//
// How the executor calls it: under its lock, when a worker is free, with one TimedRow per chunk whose next
// segment could run there now; it runs the rows that come back and tells the cost model what they took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sched/deadline.h"

namespace sdv2 {

// The next segment of a chunk. Predictions are seconds from the cost model.
struct TimedRow {
  int64_t deadline_ns = kNoDeadline;  // of the chunk's pixels
  int priority = 0;                   // higher matters more, when not all deadlines can hold
  uint64_t order = 0;                 // of submission over all sessions, unique
  int work = 0;                       // Segment::batch_class of the segment
  int64_t shape = 0;                  // identity of the row's tensor sizes
  bool batchable = false;             // may share a forward with rows of equal work and shape
  int feeds = -1;                     // `work` of the chunk's next segment if that is batchable and runs on
                                      // this device too, else -1
  double rest_s = 0;                  // from the end of this segment to the chunk's pixels, undisturbed
  double rest_here_s = 0;             // the part of rest_s that this device works
};

// Seconds of a forward of rows like rows[index] when it has `count` rows.
using RowCost = std::function<double(size_t index, size_t count)>;

struct BatchDecision {
  std::vector<size_t> rows;    // indices, the most urgent first; none only when none was ready
  bool deadlines_hold = true;  // by the prediction, of all ready rows
};

// The rows to run next, at most `max_rows` (>= 1) in one forward.
//
// - Work conserving: something runs whenever something is ready.
// - The earliest deadline goes first. When not all deadlines can hold, the rows that can still be in time
//   (feasible_set.h) go before those that cannot; of these the highest priority goes first. Rows without a
//   deadline come last, in order.
// - A batch grows while the rows per second grow by more than a fiftieth and no deadline is broken that would
//   hold without it. With costs in proportion to rows nothing is batched, since that would only add latency.
// - Rows that would join a worthwhile batch but still have an unbatchable segment before it (an encoder) run
//   first when the deadlines allow: that is how rows of different sessions meet.
BatchDecision next_batch(int64_t now_ns, std::span<const TimedRow> ready, const RowCost& cost,
                         size_t max_rows);

// How many rows of a kind a forward has when a device is so busy that rows queue up: half of those that come
// in while a row can wait (`slack_s`, what its deadline leaves beside the chain), 1…max_rows. For predicting
// what a load would take before it is there: judged by batches of today, which are small while there is room,
// rows that share time look too dear.
int attainable_rows(double slack_s, double rows_per_second, int max_rows);

}  // namespace sdv2
