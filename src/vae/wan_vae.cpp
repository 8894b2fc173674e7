// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/wan_vae.h"

#include <ATen/ATen.h>

#include "vae/latent_scale.h"

namespace sdv2 {
namespace {

constexpr int64_t kRgb = 3;

std::string numbered(const char* list, int64_t index) {
  return std::string(list) + "." + std::to_string(index);
}

// Residual, attention, residual: the same in both halves.
void add_middle(LayerChain& chain, const std::string& half, int64_t dim) {
  chain.add<WanResidual>(half + ".middle.0", dim, dim);
  chain.add<WanAttention>(half + ".middle.1", dim);
  chain.add<WanResidual>(half + ".middle.2", dim, dim);
}

}  // namespace

LayerChain wan_encoder(const WanVaeConfig& config, LatentScale scale) {
  LayerChain chain;               // shapes for the default configuration, 4 frames, later calls
  int64_t dim = config.base_dim;  // [4, 3, H, W]
  chain.add<WanStem>("encoder.conv1", kRgb, dim);
  const size_t levels = config.dim_mult.size();
  int64_t index = 0;
  for (size_t level = 0; level < levels; ++level) {
    for (int64_t block = 0; block < config.num_res_blocks; ++block) {
      const int64_t out = config.base_dim * config.dim_mult[level];
      chain.add<WanResidual>(numbered("encoder.downsamples", index++), dim, out);
      dim = out;
    }  // [4, 96, H, W], [4, 192, H/2, W/2], [2, 384, H/4, W/4], [1, 384, H/8, W/8]
    if (level + 1 < levels)
      chain.add<WanDownsample>(numbered("encoder.downsamples", index++), dim,
                               config.temporal_downsample.at(level));
  }
  add_middle(chain, "encoder", dim);
  chain.add<WanHead>("encoder.head", dim, 2 * kLatentChannels);  // [1, mean and log-variance 32, H/8, W/8]
  chain.add<WanPosteriorMean>("conv1", scale);                   // [1, 16, H/8, W/8]
  return chain;
}

LayerChain wan_decoder(const WanVaeConfig& config) {
  LayerChain chain;  // shapes for the default configuration, 1 latent frame, later calls
  int64_t dim = config.base_dim * config.dim_mult.back();
  chain.add<WanLatentInput>("conv2");  // [1, 16, h, w]
  chain.add<WanStem>("decoder.conv1", kLatentChannels, dim);
  add_middle(chain, "decoder", dim);  // [1, 384, h, w]
  int64_t index = 0;
  for (size_t level = config.dim_mult.size(); level-- > 0;) {
    for (int64_t block = 0; block <= config.num_res_blocks; ++block) {
      const int64_t out = config.base_dim * config.dim_mult[level];
      chain.add<WanResidual>(numbered("decoder.upsamples", index++), dim, out);
      dim = out;
    }  // [1, 384, h, w], [2, 384, 2h, 2w], [4, 192, 4h, 4w], [4, 96, 8h, 8w]
    if (level > 0) {
      chain.add<WanUpsample>(numbered("decoder.upsamples", index++), dim,
                             config.temporal_downsample.at(level - 1));
      dim /= 2;
    }
  }
  chain.add<WanHead>("decoder.head", dim, kRgb);  // [4, 3, 8h, 8w]
  return chain;
}

Result<WanVaeConfig> wan_vae_config_of(const WeightSource& source) {
  WanVaeConfig config;
  const auto* const tensors = source.tensors();
  if (tensors == nullptr) return config;
  for (const auto& info : *tensors) {
    if (info.key != "encoder.conv1.weight" || info.shape.size() != 5) continue;
    config.base_dim = info.shape[0];
    return config;
  }
  return Error{ErrorCode::kCorrupt,
               source.name() + " is not a Wan VAE: it has no encoder.conv1.weight with 5 dimensions"};
}

Result<void> check_wan_vae(const WanVaeConfig& config, const WeightSource& source) {
  LayerChain encoder = wan_encoder(config, LatentScale::kRaw);
  LayerChain decoder = wan_decoder(config);
  ParamList all = params_of(encoder);
  const ParamList rest = params_of(decoder);
  all.insert(all.end(), rest.begin(), rest.end());
  return check_keys(all, source);
}

}  // namespace sdv2
