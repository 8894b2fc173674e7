// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds vae_stream_encode and vae_stream_decode: the Wan VAE at a small width, streamed in calls.
#include <stdexcept>

#include "tools/parity/autoencoder.h"
#include "tools/parity/inputs.h"
#include "tools/parity/kinds.h"
#include "vae/fused/fused_wan_vae.h"
#include "vae/latent_scale.h"
#include "vae/wan_vae.h"

namespace sdv2::parity {
namespace {

WanVaeConfig config_of(const nlohmann::json& json) {
  WanVaeConfig config;
  config.base_dim = json.at("base_dim");
  config.dim_mult = json.at("dim_mult").get<std::vector<int64_t>>();
  config.num_res_blocks = json.at("num_res_blocks");
  config.temporal_downsample = json.at("temporal_downsample").get<std::vector<bool>>();
  if (json.value("z_dim", kLatentChannels) != kLatentChannels)
    throw std::runtime_error("z_dim: latents have 16 channels");
  return config;
}

std::string call_name(size_t call, const char* what) { return "call." + std::to_string(call) + "." + what; }

// Frames [T, C, h, w] in the layout of the encoder's outputs, [1, C, T, h, w].
at::Tensor channels_first(const at::Tensor& frames) { return frames.transpose(0, 1).unsqueeze(0); }

}  // namespace

void run_vae_stream_encode(const Case& loaded, at::Device device, Report& report) {
  const WanVaeConfig config = config_of(loaded.json.at("config"));
  LayerChain encoder = with_weights(wan_encoder(config, LatentScale::kRaw), loaded, device);
  const at::Tensor pixels = make_input(loaded.json, "frames", loaded.seed(), loaded.type())
                                .to(device, loaded.type())
                                .squeeze(0)
                                .transpose(0, 1);  // [T, 3, H, W]

  ChainStream stream(loaded, encoder, fuse_wan_encoder(encoder, config, LatentScale::kRaw), report);
  const auto call_frames = loaded.json.at("call_frames").get<std::vector<int64_t>>();
  int64_t begin = 0;
  for (size_t call = 0; call < call_frames.size(); begin += call_frames[call++]) {
    const at::Tensor latent = stream.forward(pixels.narrow(0, begin, call_frames[call]));
    compare_output(loaded, call_name(call, "latent"), channels_first(latent), report);
  }

  if (!loaded.expected.contains("posterior_normalised")) return;
  ChainState state = encoder.new_state();
  const at::Tensor clip = normalise_latent(encoder.forward(pixels, state));
  compare_output(loaded, "posterior_normalised", channels_first(clip), report);
}

void run_vae_stream_decode(const Case& loaded, at::Device device, Report& report) {
  const WanVaeConfig config = config_of(loaded.json.at("config"));
  LayerChain decoder = with_weights(wan_decoder(config), loaded, device);
  const at::Tensor latents =
      make_input(loaded.json, "latent", loaded.seed(), loaded.type()).to(device, loaded.type()).squeeze(0);

  ChainStream stream(loaded, decoder, fuse_wan_decoder(decoder, config), report);
  const auto call_latents = loaded.json.at("call_latents").get<std::vector<int64_t>>();
  int64_t begin = 0;
  for (size_t call = 0; call < call_latents.size(); begin += call_latents[call++]) {
    const at::Tensor pixels = stream.forward(latents.narrow(0, begin, call_latents[call]));
    compare_output(loaded, call_name(call, "pixels_unclamped"), pixels.unsqueeze(0), report);
  }
}

}  // namespace sdv2::parity
