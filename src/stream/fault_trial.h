// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes workers fail or slow down as a Fault asks.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "runtime/device_stream.h"
#include "stream/chunk.h"
#include "stream/fault.h"
#include "stream/segment_runner.h"

namespace sdv2 {

// Called by the worker's thread. Without a fault it does nothing.
class FaultTrial {
 public:
  explicit FaultTrial(std::optional<Fault> fault) : fault_(fault) {}

  // Before the worker runs a segment of these chunks: throws when it is to fail.
  void before(size_t worker, std::span<Chunk* const> chunks) const;
  // After it has enqueued the segment, from `begun` on: when it is to be slow, waits for the device and for
  // as much longer as a slower one would take, and marks the chunks anew.
  void after(size_t worker, std::span<Chunk* const> chunks, const Mark& begun,
             const SegmentRunner& runner) const;

 private:
  std::optional<Fault> fault_;
};

}  // namespace sdv2
