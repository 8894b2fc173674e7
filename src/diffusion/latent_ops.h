// SPDX-License-Identifier: LGPL-2.1-or-later
// The arithmetic on latents around the network: adding noise, network output to clean latent, noise again for
// the next step. Each function rounds exactly where the reference rounds. Latents are [R, ...] with R rows,
// float32, bfloat16 or float16, all on one device; `sigma` is float32 [R] on that device, one noise level per
// row (FlowMatchTable::sigma_of).
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

// The start of a chunk: noise·noise_scale + latent·(1 - noise_scale), with noise_scale in 0 … 1. Both
// products and the sum are rounded to the latent's type.
at::Tensor mix_noise(const at::Tensor& latent, const at::Tensor& noise, double noise_scale);

// The clean latent that the network predicts: noisy - sigma·flow in float64, rounded once to flow's type.
at::Tensor clean_from_flow(const at::Tensor& flow, const at::Tensor& noisy, const at::Tensor& sigma);

// Back to the noise level of the next step: (1 - sigma)·clean + sigma·noise in float32, rounded once to
// clean's type.
at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& sigma);

// Guidance: away from `negative`, towards `positive` (both clean latents of the same step): negative +
// scale·(positive - negative), in float32, rounded once to positive's type. Equal to guidance on the
// network's outputs, because clean latents depend linearly on them. guidance.h says which latent is the
// negative.
at::Tensor guide(const at::Tensor& positive, const at::Tensor& negative, double scale);

}  // namespace sdv2
