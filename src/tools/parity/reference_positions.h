// SPDX-License-Identifier: LGPL-2.1-or-later
// How the reference cuts a stream into chunks, and at which positions its rows work.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/parity/reference_ring.h"

namespace sdv2::parity {

struct ReferenceStreamConfig {
  ReferenceRingConfig ring;
  int64_t frames_per_chunk = 1;  // P, latent frames
  bool text_to_video = false;    // the first chunk has P latent frames instead of 1 + P
  bool stream_batch = true;  // one row per step, instead of one row that runs the steps one after the other
  std::optional<int64_t> refresh_at;  // a start frame that reaches this becomes K-1

  int64_t rows() const { return stream_batch ? ring.steps : 1; }
  int64_t first_frames() const { return frames_per_chunk + (text_to_video ? 0 : 1); }
};

// The start frames of one stream's forward passes. The first chunk of a session has one row, at frame 0.
class ReferencePositions {
 public:
  explicit ReferencePositions(const ReferenceStreamConfig& config) : config_(config) { begin_session(); }

  // The first chunk was run: its end is where all rows wait.
  void begin_session();

  // A further chunk comes in: the start frame of each row, newest chunk first. Rows that no chunk has reached
  // yet are computed too (on zeros or what came of them), at the position of the first.
  const std::vector<int64_t>& next_chunk();

 private:
  ReferenceStreamConfig config_;
  std::vector<int64_t> starts_;
  int64_t next_ = 0;  // start frame of the next chunk
};

}  // namespace sdv2::parity
