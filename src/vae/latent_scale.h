// SPDX-License-Identifier: LGPL-2.1-or-later
// The fixed scale between the Wan VAE's own latents and latents of about mean 0 and variance 1.
// Constants: wan/modules/vae.py of Wan-Video/Wan2.1.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sdv2 {

// Channels of every latent: Wan VAE, TAEHV and the transformer's input.
inline constexpr int64_t kLatentChannels = 16;

// (mu − mean)·(1/std) and z/(1/std) + mean per channel, x [T, 16, h, w]. The reference's rounding: mean, std
// and 1/std are each rounded to the type of x, and so is each step.
at::Tensor normalise_latent(const at::Tensor& mu);
at::Tensor denormalise_latent(const at::Tensor& z);

}  // namespace sdv2
