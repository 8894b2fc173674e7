// SPDX-License-Identifier: LGPL-2.1-or-later
// What a call on the GPU has found when it placed frames in caches with adaptive sinks. The caches' owners
// follow its choices from these numbers, when they next need to know.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <cstdint>
#include <vector>

namespace sdv2 {

class SinkReport {
 public:
  // Brings similarities, float [blocks of the call, rows, sinks] on a GPU, to the host; enqueued on the
  // current stream.
  explicit SinkReport(const at::Tensor& similarities);

  // Of the call's block (0: its first) and row to the first `sinks` sinks. Blocks until the GPU is there. Any
  // thread.
  std::vector<double> similarity(int64_t block, int64_t row, int64_t sinks) const;

 private:
  at::Tensor host_;
  c10::Event copied_;
};

}  // namespace sdv2
