// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory of CPU tensors that is kept for the next tensor of its size. A stream makes tensors of the same
// sizes in every chunk. The C library returns large blocks to the system when they are freed, and the system
// clears each page that it hands out again: without this, that is a seventh of the time of a stream on two
// cores.
#pragma once

#include <cstddef>

namespace sdv2 {

// While one of these lives, large CPU tensors that its thread makes take memory that such tensors left,
// whoever dropped them. What is kept goes back when the last one ends. Sets LibTorch's CPU allocator once,
// which for all other threads is the one that was there before.
class KeepTensorMemory {
 public:
  KeepTensorMemory();
  ~KeepTensorMemory();
  KeepTensorMemory(const KeepTensorMemory&) = delete;
  KeepTensorMemory& operator=(const KeepTensorMemory&) = delete;
};

// Bytes that wait for the next tensor now; at most 256 MiB. Any thread.
size_t kept_tensor_memory();

}  // namespace sdv2
