// SPDX-License-Identifier: LGPL-2.1-or-later
// The policies that the engine's scheduler is compared with: all serve the oldest chunk first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sdv2::sim {

struct FifoRow {
  int64_t arrival_ns = 0;  // of the chunk's last frame
  int64_t capture_ns = 0;  // of its first frame
  uint64_t stream = 0;
  int work = 0;
  int64_t shape = 0;
  int step = -1;          // of a denoising row
  int64_t period_ns = 0;  // between the stream's chunks
};

struct FifoChoice {
  std::vector<size_t> rows;           // none: wait
  int64_t look_again_ns = INT64_MAX;  // at the latest, when nothing else happens
};

// One row at a time.
FifoChoice no_batching(std::span<const FifoRow> ready);

// Denoising rows wait until `rows` of a kind are there, two chunk periods at most; meanwhile other work goes
// on.
FifoChoice static_batching(int64_t now_ns, std::span<const FifoRow> ready, size_t rows);

// The reference's `auto` mode: a chunk whose first frame is 0.5 s old runs through all steps alone. A younger
// one is part of a stream batch: a step later than the first runs together with the first step of the
// stream's next chunk, in one forward.
FifoChoice wait_threshold(int64_t now_ns, std::span<const FifoRow> ready);

}  // namespace sdv2::sim
