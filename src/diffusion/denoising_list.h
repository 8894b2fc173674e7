// SPDX-License-Identifier: LGPL-2.1-or-later
// Which timesteps a chunk is denoised at, and how the strength of its noise chooses the first of them.
#pragma once

#include <vector>

#include "base/result.h"

namespace sdv2 {

enum class Task {
  kVideoToVideo,  // a source video is noised and denoised
  kTextToVideo,   // starts from pure noise
};

// The list that the models of a task come with, noisiest first and closed by 0:
// 700 500 400 200 0 for video to video, 1000 750 500 250 0 for text to video.
std::vector<float> full_denoising_list(Task task);

// The timesteps of the forward passes of a chunk: the first `steps` entries of `full` that are not 0, and for
// text to video a last pass at 0. kInvalidArgument when `steps` is not 1 … the number of such entries or an
// entry is outside 0 … 1000.
Result<std::vector<float>> denoising_list(Task task, const std::vector<float>& full, int steps);

// The timestep that the model is told at the first step of a chunk noised with `noise_scale` (0 … 1):
// trunc(1000·noise_scale) - 100. The model is deliberately told less noise than there is (0.8 gives 700).
// Nothing keeps the result above the second step of the list, and it is negative below a noise scale of 0.1;
// the table takes any timestep.
int first_timestep(double noise_scale);

// The timesteps that the model is told for a chunk noised with `noise_scale`, `list` being those of the
// model's denoising list (falling, without 0). The first follows the noise scale (first_timestep, but at
// least `least`), the others are the list's. With so little noise that the first would not lie above the
// second, all are scaled down together, so that a later step never adds more noise than an earlier one took
// away.
std::vector<double> told_timesteps(const std::vector<double>& list, double noise_scale, double least);

}  // namespace sdv2
