// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/latent_ops.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

// [R] → [R, 1, ..., 1] with the dimensions of `latent`.
at::Tensor per_row(const at::Tensor& sigma, const at::Tensor& latent) {
  std::vector<int64_t> shape(latent.dim(), 1);
  shape[0] = sigma.size(0);
  return sigma.view(shape);
}

}  // namespace

at::Tensor mix_noise(const at::Tensor& latent, const at::Tensor& noise, double noise_scale) {
  return noise * noise_scale + latent * (1 - noise_scale);
}

at::Tensor clean_from_flow(const at::Tensor& flow, const at::Tensor& noisy, const at::Tensor& sigma) {
  const at::Tensor level = per_row(sigma, flow).to(at::kDouble);
  return (noisy.to(at::kDouble) - level * flow.to(at::kDouble)).to(flow.scalar_type());
}

at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& sigma) {
  const at::Tensor level = per_row(sigma, clean);
  return ((1 - level) * clean + level * noise).to(clean.scalar_type());
}

at::Tensor guide(const at::Tensor& positive, const at::Tensor& negative, double scale) {
  const at::Tensor base = negative.to(at::kFloat);
  return (base + (positive.to(at::kFloat) - base) * scale).to(positive.scalar_type());
}

}  // namespace sdv2
