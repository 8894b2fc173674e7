// SPDX-License-Identifier: LGPL-2.1-or-later
// The chunks of one stream that wait for their first unit: never more than its capacity, never one that is
// too late to be worth starting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "sched/deadline.h"

namespace sdv2 {

struct WaitingChunk {
  int64_t chunk = 0;  // number in its stream
  int64_t deadline_ns = kNoDeadline;
};

// A chunk that has begun is not in here and always ends: what it leaves in the caches is what the next one
// builds on. A chunk that never began leaves no trace, like one that the similarity filter skips.
class ChunkQueue {
 public:
  // `capacity` >= 1.
  explicit ChunkQueue(size_t capacity) : capacity_(capacity) {}

  // Puts a chunk behind the others. Returns the chunks that had to go for it: the oldest.
  std::vector<WaitingChunk> push(const WaitingChunk& chunk);

  // Takes out the chunks, oldest first, that would be late even if they began now and nothing disturbed them,
  // which takes `alone_s` seconds each.
  std::vector<WaitingChunk> expire(int64_t now_ns, double alone_s);

  // The next one to begin; only when not empty().
  WaitingChunk pop();
  const WaitingChunk& front() const { return chunks_.front(); }
  bool empty() const { return chunks_.empty(); }
  size_t size() const { return chunks_.size(); }

 private:
  size_t capacity_;
  std::deque<WaitingChunk> chunks_;
};

}  // namespace sdv2
