// SPDX-License-Identifier: LGPL-2.1-or-later
// What the pictures of a stream decide before anything else is done with them: whether a chunk is worth
// running at all, and how much noise it gets. Chunks come in order; one thread at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "diffusion/motion_meter.h"
#include "diffusion/noise_controller.h"
#include "diffusion/similarity_filter.h"
#include "stream/chunk.h"

namespace sdv2 {

class NoiseDecision {
 public:
  struct Wish {
    int64_t index = 0;  // of the chunk in its stream
    uint64_t seed = 0;
    double noise_scale = 0.8;  // of a still picture
    bool adaptive = true;
    double similarity_threshold = 0;  // 0: never skip
    bool must_run = false;            // the chunk changes the stream by more than its pictures
    std::vector<double> timesteps;    // the model's, one per step
    double min_timestep = 0;          // the least that the model may be told first
  };

  // pixels [T, 3, H, W] in [-1, 1]. Nothing: skip the chunk. Waits for the current stream when the chunk's
  // noise or the filter depends on its pictures.
  std::optional<NoiseLevels> decide(const at::Tensor& pixels, const Wish& wish);

 private:
  bool skip(const at::Tensor& pixels, const Wish& wish);
  double noise_scale(const at::Tensor& pixels, const Wish& wish);

  MotionMeter motion_;
  std::optional<NoiseController> controller_;
  double controlled_scale_ = 0;  // what the controller was made for
  std::optional<SimilarityFilter> filter_;
  double filter_threshold_ = 0;
  at::Tensor last_run_;  // the last picture of the last chunk that was not skipped
};

}  // namespace sdv2
