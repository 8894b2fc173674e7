// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/time_embedding.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

// [cos(t·ω_0) … cos(t·ω_{half-1}), sin(t·ω_0) …], ω_j = 10000^(−j/half), in float64.
at::Tensor sinusoid(const at::Tensor& t, int64_t freq_dim) {
  const int64_t half = freq_dim / 2;
  const at::Tensor j = at::arange(half, at::dtype(at::kDouble).device(t.device()));
  const at::Tensor angle = t.to(at::kDouble).unsqueeze(-1) * at::pow(10000.0, -j / static_cast<double>(half));
  return at::cat({angle.cos(), angle.sin()}, -1);
}

}  // namespace

TimeEmbedding::TimeEmbedding(const DitConfig& config)
    : freq_dim_(config.freq_dim),
      in_(config.freq_dim, config.dim),
      out_(config.dim, config.dim),
      projection_(config.dim, 6 * config.dim) {}

void TimeEmbedding::list(const ParamScope& p) {
  in_.list(p / "time_embedding" / 0);
  out_.list(p / "time_embedding" / 2);
  projection_.list(p / "time_projection" / 1);
}

TimeVectors TimeEmbedding::forward(const at::Tensor& timesteps, at::ScalarType type) const {
  const at::Tensor wave = sinusoid(timesteps, freq_dim_).to(type);                // [R, F, freq_dim]
  const at::Tensor e = out_.forward(at::silu(in_.forward(wave)));                 // [R, F, dim]
  const at::Tensor e0 = projection_.forward(at::silu(e)).unflatten(-1, {6, -1});  // [R, F, 6, dim]
  return {e, e0};
}

}  // namespace sdv2
