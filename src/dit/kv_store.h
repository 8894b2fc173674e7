// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a block's self-attention keeps keys and values of earlier chunks. The network knows nothing of slots,
// rings or sessions; whoever runs it decides them behind this interface.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace sdv2 {

// What one row attends to: k and v [T, heads, 128], in any order (attention does not depend on it).
struct KvRow {
  at::Tensor k;
  at::Tensor v;
};

// The cache of one block for the rows of one call.
class KvStore {
 public:
  virtual ~KvStore() = default;

  // Stores the chunk's keys (rotated to their positions) and values, [R, F·S, heads, 128] each, and returns
  // for each row all that its queries attend to, the new tokens included. The result may be views of the
  // cache: use it before the next write.
  virtual std::vector<KvRow> write(const at::Tensor& k, const at::Tensor& v) = 0;
};

}  // namespace sdv2
