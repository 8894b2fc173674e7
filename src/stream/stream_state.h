// SPDX-License-Identifier: LGPL-2.1-or-later
// What the units of the chain remember of one stream: the autoencoder's layers and the KV lanes of every
// denoising step and block. Parts are touched only by the worker that runs their unit, chunk after chunk.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "runtime/device_stream.h"
#include "sched/freeze_guard.h"
#include "stream/chain_memory.h"
#include "stream/kv_ring.h"
#include "stream/lane.h"

namespace sdv2 {

constexpr int kMaxSteps = 4;

// The two passes of guidance; without it only the first runs.
enum Branch : uint8_t { kPositive = 0, kNegative = 1 };

struct StreamShape {
  int encoder_layers = 0;
  int decoder_layers = 0;
  int blocks = 0;
  int64_t heads = 0;
  int64_t latent_height = 0;
  int64_t latent_width = 0;
  KvRingConfig ring;

  int64_t tokens_per_frame() const { return (latent_height / 2) * (latent_width / 2); }
};

class StreamState {
 public:
  explicit StreamState(const StreamShape& shape);

  const StreamShape& shape() const { return shape_; }
  const KvRing& empty_ring() const { return empty_ring_; }

  // The memory of the autoencoder.
  ChainMemory& encoder() { return encoder_; }
  ChainMemory& decoder() { return decoder_; }

  // The lane of a step, branch and block; nullptr while it is not made.
  Lane* lane(int step, Branch branch, int block) { return slot(step, branch, block).get(); }
  // Makes it empty on a device, or moves it there with what it holds.
  Lane& lane_on(int step, Branch branch, int block, at::ScalarType type, at::Device device);

  // Behind what was enqueued last for a chunk of the stream. Under the executor's lock.
  Mark mark;
  // Under the executor's lock.
  FreezeGuard freeze;
  // Why no chunk can follow: one failed half-way. Under the executor's lock.
  Result<void> intact;

 private:
  std::unique_ptr<Lane>& slot(int step, Branch branch, int block);
  std::unique_ptr<Lane> make_lane(at::ScalarType type, at::Device device) const;

  StreamShape shape_;
  KvRing empty_ring_;
  ChainMemory encoder_, decoder_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // [step][branch][block]
};

}  // namespace sdv2
