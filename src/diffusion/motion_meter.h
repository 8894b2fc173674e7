// SPDX-License-Identifier: LGPL-2.1-or-later
// How much a video moves, for the noise controller.
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

// Root mean square change of each picture against the one before it: frames [S+1, 3, H, W] → [S], in the
// frames' type and on their device.
at::Tensor rms_changes(const at::Tensor& frames);

// Measures one session's chunks in order and remembers the last picture. Not thread-safe.
class MotionMeter {
 public:
  // The first chunk of a session: only its last picture matters. pixels: [T, 3, H, W] in [-1, 1], bfloat16 or
  // float32.
  void start(const at::Tensor& pixels);

  // The motion in the next chunk, 0 (still) … 1: the largest RMS change between consecutive pictures, the
  // last picture of the chunk before included, divided by 0.2 and clamped. pixels as in start(), of the same
  // size and type; start() comes first. Waits for the current stream, because the noise scale that follows
  // from it is needed on the host.
  double measure(const at::Tensor& pixels);

 private:
  at::Tensor last_;  // [1, 3, H, W], a copy: callers reuse their buffers
};

}  // namespace sdv2
