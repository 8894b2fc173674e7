// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/fault_trial.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "stream/segment_error.h"

namespace sdv2 {

void FaultTrial::before(size_t worker, std::span<Chunk* const> chunks) const {
  if (!fault_ || !fault_->fails() || fault_->worker != worker) return;
  for (const Chunk* chunk : chunks)
    if (chunk->index == fault_->chunk)
      throw SegmentError({ErrorCode::kDevice, "device " + std::to_string(worker) + " failed at chunk " +
                                                  std::to_string(chunk->index) +
                                                  " of a stream, as the fault " + to_string(*fault_) +
                                                  " asks; open the model without it to go on"});
}

void FaultTrial::after(size_t worker, std::span<Chunk* const> chunks, const Mark& begun,
                       const SegmentRunner& runner) const {
  const bool slow = fault_ && std::any_of(chunks.begin(), chunks.end(), [&](const Chunk* chunk) {
                      return fault_->slows(worker, chunk->index);
                    });
  if (!slow) return;
  const Mark done = chunks.front()->mark;
  done.wait();
  std::this_thread::sleep_for(
      std::chrono::duration<double, std::milli>(done.milliseconds_since(begun) * (fault_->slowdown - 1)));
  const Mark end = runner.mark();
  for (Chunk* chunk : chunks) chunk->mark = end;
}

}  // namespace sdv2
