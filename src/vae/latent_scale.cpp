// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/latent_scale.h"

#include <ATen/ATen.h>

#include <array>
#include <span>

#include "runtime/upload.h"

namespace sdv2 {
namespace {

using ChannelTable = std::array<double, kLatentChannels>;

constexpr ChannelTable kMean = {-0.7571, -0.7089, -0.9113, 0.1075,  -0.1745, 0.9653,  -0.1517, 1.5508,
                                0.4134,  -0.0715, 0.5517,  -0.3632, -0.1922, -0.9497, 0.2503,  -0.2921};
constexpr ChannelTable kStd = {2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
                               3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160};

// [16, 1, 1] in the type and on the device of x.
at::Tensor per_channel(const ChannelTable& table, const at::Tensor& x) {
  return upload(std::span<const double>(table), x.device()).to(x.scalar_type()).view({-1, 1, 1});
}

}  // namespace

at::Tensor normalise_latent(const at::Tensor& mu) {
  return (mu - per_channel(kMean, mu)) * per_channel(kStd, mu).reciprocal();
}

at::Tensor denormalise_latent(const at::Tensor& z) {
  return z / per_channel(kStd, z).reciprocal() + per_channel(kMean, z);
}

}  // namespace sdv2
