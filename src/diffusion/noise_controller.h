// SPDX-License-Identifier: LGPL-2.1-or-later
// The motion-aware noise controller: a moving picture gets less noise, so that it stays sharp and in place.
#pragma once

namespace sdv2 {

// One per session; the first chunk of a session is noised with the initial scale and does not pass through
// update(). Not thread-safe. Formula: StreamDiffusionV2 (arXiv 2511.07399), with the constants of its public
// code.
class NoiseController {
 public:
  // `initial_scale`: the configured noise scale, 0 … 1 (0.8 is the reference's default). A still picture
  // stays at this scale, a fully moving one comes down by 0.1.
  explicit NoiseController(double initial_scale)
      : initial_scale_(initial_scale), noise_scale_(initial_scale) {}

  // Takes the motion of the next chunk, 0 (still) … 1 (see MotionMeter), and returns the noise scale to mix
  // it with:
  //   0.9·(initial - 0.1·motion) + 0.1·previous,  in double.
  double update(double motion);

  // The scale of the last chunk.
  double noise_scale() const { return noise_scale_; }

 private:
  double initial_scale_;
  double noise_scale_;
};

}  // namespace sdv2
