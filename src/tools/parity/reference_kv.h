// SPDX-License-Identifier: LGPL-2.1-or-later
// A block's cache as the reference keeps it: zeroed tensors, indexed by the reference's bookkeeping.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "dit/fused/fused_dit.h"
#include "dit/kv_store.h"
#include "tools/parity/reference_ring.h"

namespace sdv2::parity {

class ReferenceKv : public KvStore {
 public:
  // One row of config.slots · tokens_per_frame tokens.
  ReferenceKv(const ReferenceRingConfig& config, int64_t tokens_per_frame, int64_t heads,
              const at::TensorOptions& options);

  // The rows' start frames in the forward pass that follows.
  void begin(std::vector<int64_t> starts) { starts_ = std::move(starts); }

  std::vector<KvRow> write(const at::Tensor& k, const at::Tensor& v) override;

  // Like write(), for kernels that store a chunk of `frames` frames themselves: where each row's goes. Not
  // when the ring compares sinks.
  std::vector<FusedKv> place(int64_t frames);

  // Copies the one row of the first chunk to `rows` rows.
  void repeat(int64_t rows);

  // A new session: one row of zeros. The lists of slots stay.
  void restart();

  const ReferenceRing& ring() const { return ring_; }
  const at::Tensor& k() const { return k_; }  // [R, K·S, heads, 128]
  const at::Tensor& v() const { return v_; }

  // Per row and sink what the last write compared, empty when it compared nothing.
  const std::vector<std::vector<double>>& similarity() const { return similarity_; }

 private:
  int64_t tokens_per_frame_;
  ReferenceRing ring_;
  at::Tensor k_, v_;
  std::vector<int64_t> starts_;
  std::vector<std::vector<double>> similarity_;
};

}  // namespace sdv2::parity
