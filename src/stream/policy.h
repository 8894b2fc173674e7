// SPDX-License-Identifier: LGPL-2.1-or-later
// The scheduling decision as a pure function: which ready rows make the next forward on a worker. The same
// code runs with real clocks and with virtual ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "stream/chain.h"

namespace sdv2 {

enum class Execution {
  kLatency,     // depth-first: a chunk runs through all its steps before the next one begins
  kThroughput,  // wavefront (stream batch): steps of several chunks run in one forward
  kAuto,        // wavefront while chunks queue up, else depth-first
};

// A segment of a chunk whose predecessors are done: it could run now.
struct ReadyRow {
  uint64_t session = 0;  // identity only
  uint64_t order = 0;    // of submission over all sessions, unique
  int64_t deadline_ns = std::numeric_limits<int64_t>::max();
  int segment = 0;  // how far along the chain
  Segment::Kind kind = Segment::Kind::kEncode;
  int batch_class = 0;  // rows may share a forward when class and shape are equal
  int64_t shape = 0;    // identity of the row's tensor sizes
  Execution execution = Execution::kAuto;
};

// Indices into `ready` of the rows to run next, at most `max_rows` (>= 1), never none when there are ready
// rows. Encoder and decoder segments run alone (their state makes them one stream at a time); denoising rows
// may be batched. Nothing ever waits for a partner, and the chunk with the earliest deadline (the oldest
// among equals) is passed over only for what can be batched with it.
std::vector<size_t> next_batch(std::span<const ReadyRow> ready, size_t max_rows);

}  // namespace sdv2
