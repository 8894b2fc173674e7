// SPDX-License-Identifier: LGPL-2.1-or-later
// Executes segments of chunks on one worker: the arithmetic of the chain, unit by unit.
#pragma once

#include <memory>
#include <span>

#include "diffusion/flow_match.h"
#include "dit/fused/fused_dit.h"
#include "runtime/device_stream.h"
#include "stream/chunk.h"
#include "stream/device_links.h"
#include "stream/device_networks.h"

namespace sdv2 {

class SegmentRunner {
 public:
  // For the worker of that index. `links`: to it. `table` is the model's and outlives this.
  SegmentRunner(size_t worker, std::shared_ptr<const DeviceNetworks> networks, IncomingLinks links,
                const FlowMatchTable& table);

  // Runs the next segment of every chunk; they have one batch class and shape, and are more than one only
  // when they denoise. Chunks that were abandoned meanwhile are left half done. One thread at a time. Throws
  // SegmentError and c10::Error; the chunks' streams are broken then. Returns the place at which everything
  // that the chunks bring is there and the work begins.
  Mark run(std::span<Chunk* const> chunks);

  // The place behind everything that was run so far.
  Mark mark() const { return stream_.mark(); }

  c10::Device device() const { return networks_->device; }

  // Ends waiting for other devices. Any thread.
  void abort_links();

 private:
  void take_over(Chunk& chunk);
  void begin(Chunk& chunk);
  void encode(Chunk& chunk, const Segment& segment);
  void add_noise(Chunk& chunk);
  void decode(Chunk& chunk, const Segment& segment);
  void deliver(Chunk& chunk);

  size_t worker_;
  std::shared_ptr<const DeviceNetworks> networks_;
  const IncomingLinks links_;
  const FlowMatchTable& table_;
  std::unique_ptr<FusedDit> fused_;  // where the device has fused kernels
  DeviceStream input_;               // brings pictures in beside what stream_ computes
  DeviceStream stream_;
};

}  // namespace sdv2
