// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/chunk_queue.h"

namespace sdv2 {

std::vector<WaitingChunk> ChunkQueue::push(const WaitingChunk& chunk) {
  chunks_.push_back(chunk);
  std::vector<WaitingChunk> gone;
  while (chunks_.size() > capacity_) gone.push_back(pop());
  return gone;
}

std::vector<WaitingChunk> ChunkQueue::expire(int64_t now_ns, double alone_s) {
  std::vector<WaitingChunk> gone;
  const int64_t end = saturating_add(now_ns, seconds_to_ns(alone_s));
  while (!chunks_.empty() && chunks_.front().deadline_ns < end) gone.push_back(pop());
  return gone;
}

WaitingChunk ChunkQueue::pop() {
  const WaitingChunk chunk = chunks_.front();
  chunks_.pop_front();
  return chunk;
}

}  // namespace sdv2
