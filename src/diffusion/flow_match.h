// SPDX-License-Identifier: LGPL-2.1-or-later
// The flow-match table: how noisy a latent is at each timestep of the model's training schedule.
#pragma once

#include <array>
#include <vector>

namespace sdv2 {

// 1000 levels from pure noise (index 0) to nearly clean (index 999), shifted towards the noisy end:
//   s_k = 1 - k/1000,   sigma_k = shift·s_k / (1 + (shift - 1)·s_k),   timestep_k = 1000·sigma_k,   k = 0 …
//   999.
// A latent at level sigma is (1 - sigma)·clean + sigma·noise. All values are float32 and have the bits of the
// reference's tables (which depend on how ATen evaluates linspace). Immutable: any thread.
class FlowMatchTable {
 public:
  static constexpr int kSize = 1000;

  // `shift` > 0. 8 is what the StreamDiffusionV2 and CausVid models were trained with, 5 belongs to
  // Self-Forcing.
  explicit FlowMatchTable(double shift = 8.0);

  const std::array<float, kSize>& sigmas() const { return sigmas_; }
  const std::array<float, kSize>& timesteps() const { return timesteps_; }

  // Index of the table timestep nearest to `timestep`, the first one (noisier) on ties. Any value is allowed:
  // the model is told round numbers such as 700, which are not in the table, and 0 gives the last level,
  // which is not quite clean.
  int index_of(double timestep) const;

  // Sigma of the nearest table timestep.
  float sigma_of(double timestep) const { return sigmas_[index_of(timestep)]; }

  // The "warped" form of a list of denoising steps: each integer step t in 0 … 1000 becomes the table's
  // timestep at index 1000 - t (1000 gives 1000, 750 gives 960 at shift 8, 0 gives 0).
  std::vector<float> warp(const std::vector<float>& steps) const;

 private:
  std::array<float, kSize> sigmas_;
  std::array<float, kSize> timesteps_;
};

}  // namespace sdv2
