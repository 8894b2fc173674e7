// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/noise_decision.h"

#include <ATen/ATen.h>

#include "diffusion/denoising_list.h"
#include "kernels/philox.h"
#include "runtime/download.h"

namespace sdv2 {
namespace {

// A number in [0, 1) that depends on the seed and the chunk only. No noise has that step, so none shares its
// numbers.
double uniform(uint64_t seed, int64_t index) {
  constexpr uint32_t kNoStep = 0xFFFFFFFF;
  const auto chunk = static_cast<uint64_t>(index);
  const Four<uint32_t> counter = {
      {0, kNoStep, static_cast<uint32_t>(chunk), static_cast<uint32_t>(chunk >> 32)}};
  return philox4x32(counter, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)).v[0] * 0x1p-32;
}

}  // namespace

std::optional<NoiseLevels> NoiseDecision::decide(const at::Tensor& pixels, const Wish& wish) {
  if (wish.similarity_threshold > 0 && skip(pixels, wish)) return std::nullopt;
  const double scale = noise_scale(pixels, wish);
  return NoiseLevels{scale, told_timesteps(wish.timesteps, scale, wish.min_timestep)};
}

bool NoiseDecision::skip(const at::Tensor& pixels, const Wish& wish) {
  if (!filter_ || filter_threshold_ != wish.similarity_threshold) {
    filter_.emplace(SimilarityFilterOptions{.threshold = wish.similarity_threshold});
    filter_threshold_ = wish.similarity_threshold;
  }
  const at::Tensor last = pixels.narrow(0, pixels.size(0) - 1, 1).to(at::kFloat).flatten();
  if (!wish.must_run && last_run_.defined()) {
    const double similarity = fetch(at::cosine_similarity(last, last_run_, 0));
    if (filter_->skip(similarity, uniform(wish.seed, wish.index))) return true;
  }
  last_run_ = last;
  return false;
}

double NoiseDecision::noise_scale(const at::Tensor& pixels, const Wish& wish) {
  if (!wish.adaptive || wish.index == 0) {
    motion_.start(pixels);
    controller_.reset();
    return wish.noise_scale;
  }
  const double motion = motion_.measure(pixels);
  if (!controller_ || controlled_scale_ != wish.noise_scale) {
    controller_.emplace(wish.noise_scale);
    controlled_scale_ = wish.noise_scale;
  }
  return controller_->update(motion);
}

}  // namespace sdv2
