// SPDX-License-Identifier: LGPL-2.1-or-later
// The KV cache of one row (one session at one denoising step) in one transformer block: its ring and its
// tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dit/fused/fused_dit.h"
#include "dit/kv_store.h"
#include "stream/kv_ring.h"

namespace sdv2 {

class Lane {
 public:
  // Room for the ring's K slots of `tokens` keys and values [K·tokens, heads, 128] each.
  Lane(const KvRing& ring, int64_t slots, int64_t tokens, int64_t heads, at::ScalarType type,
       at::Device device);

  // Announces a chunk of `frames` latent frames: re-rotates the cached keys when the position starts over.
  // Returns the position of the chunk's first frame. Errors: kInvalidArgument when the chunk does not fit.
  Result<int64_t> begin_chunk(int64_t frames);

  // Stores the chunk's k and v [frames·tokens, heads, 128] and returns everything that is attended.
  KvRow write(const at::Tensor& k, const at::Tensor& v);

  // Like write(), for kernels that store the chunk themselves. When it compares sinks (test.sinks > 0) they
  // choose the slot, too, and follow() must be called next.
  FusedKv place();

  // Whatever comes next first learns from the report, of the call's block and row, what was chosen.
  void follow(std::shared_ptr<const SinkReport> report, int64_t block, int64_t row);

  // Forgets everything; `empty` is a ring of the same sizes that has taken nothing.
  void clear(const KvRing& empty);

  // Similarity below which a sink is renewed from now on; -1 never.
  void set_sink_threshold(double threshold);

  // Becomes equal to another lane of the same size, which may be on another device.
  void copy_from(Lane& other);

  at::Device device() const { return k_.device(); }
  int64_t bytes() const;

 private:
  std::vector<double> similarity_to_sinks(const at::Tensor& k, const at::Tensor& v) const;

  // Catches up with what a GPU has chosen; may wait for it.
  KvRing& ring();

  struct Report {
    std::shared_ptr<const SinkReport> of_call;
    int64_t block = 0, row = 0;
  };

  KvRing ring_;
  std::optional<Report> report_;  // of the chunk that was placed last, if ring_ does not know it yet
  int64_t tokens_;                // of one latent frame
  at::Tensor k_;                  // [K·tokens, heads, 128]
  at::Tensor v_;
  at::Tensor sink_means_;    // float [K, 2, heads·128], once sinks are compared on a GPU: their mean tokens
  int64_t known_means_ = 0;  // the first so many of them hold for what is in the cache
};

// The lanes of the rows of one call, as a block's self-attention sees them.
class LaneStore : public KvStore {
 public:
  explicit LaneStore(std::vector<Lane*> rows) : rows_(std::move(rows)) {}
  std::vector<KvRow> write(const at::Tensor& k, const at::Tensor& v) override;

 private:
  std::vector<Lane*> rows_;
};

}  // namespace sdv2
