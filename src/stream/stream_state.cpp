// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/stream_state.h"

#include <ATen/ATen.h>

namespace sdv2 {

StreamState::StreamState(const StreamShape& shape)
    : shape_(shape),
      empty_ring_(*KvRing::create(shape.ring)),
      encoder_(static_cast<size_t>(shape.encoder_layers)),
      decoder_(static_cast<size_t>(shape.decoder_layers)),
      lanes_(static_cast<size_t>(kMaxSteps) * 2 * static_cast<size_t>(shape.blocks)) {}

std::unique_ptr<Lane>& StreamState::slot(int step, Branch branch, int block) {
  return lanes_.at(static_cast<size_t>((step * 2 + branch) * shape_.blocks + block));
}

std::unique_ptr<Lane> StreamState::make_lane(at::ScalarType type, at::Device device) const {
  return std::make_unique<Lane>(empty_ring_, shape_.ring.slots, shape_.tokens_per_frame(), shape_.heads, type,
                                device);
}

Lane& StreamState::lane_on(int step, Branch branch, int block, at::ScalarType type, at::Device device) {
  std::unique_ptr<Lane>& lane = slot(step, branch, block);
  if (!lane) {
    lane = make_lane(type, device);
  } else if (lane->device() != device) {
    std::unique_ptr<Lane> moved = make_lane(type, device);
    moved->copy_from(*lane);
    lane = std::move(moved);
  }
  return *lane;
}

}  // namespace sdv2
