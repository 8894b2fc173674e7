// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds taehv_encode, taehv_decode and taehv_decode_context3: TAEHV of any width.
#include <algorithm>

#include "tools/parity/autoencoder.h"
#include "tools/parity/inputs.h"
#include "tools/parity/kinds.h"
#include "vae/taehv.h"

namespace sdv2::parity {
namespace {

constexpr int64_t kFramesPerLatent = 4;

// The sizes of a case: those of taew2_1 unless its config says others.
TaehvConfig config_of(const Case& loaded) {
  const auto& json = loaded.json.at("config");
  TaehvConfig config;
  config.encoder_width = json.value("encoder_width", config.encoder_width);
  config.decoder_widths = json.value("decoder_widths", config.decoder_widths);
  return config;
}

at::Tensor latent_input(const Case& loaded, at::Device device) {
  return make_input(loaded.json, "latent", loaded.seed(), loaded.type()).to(device, loaded.type()).squeeze(0);
}

}  // namespace

void run_taehv_encode(const Case& loaded, at::Device device, Report& report) {
  const LayerChain encoder = with_weights(taehv_encoder(config_of(loaded)), loaded, device);
  const at::Tensor frames = make_input(loaded.json, "frames", loaded.seed(), loaded.type());
  at::Tensor pixels =
      (frames * 0.5 + 0.5).to(device, loaded.type()).squeeze(0).transpose(0, 1);  // [T, 3, H, W] in [0, 1]
  // The reference fills the last group by repeating the last frame.
  const int64_t count = pixels.size(0);
  const int64_t missing = (kFramesPerLatent - count % kFramesPerLatent) % kFramesPerLatent;
  pixels = at::cat({pixels, pixels.narrow(0, count - 1, 1).expand({missing, -1, -1, -1})});

  ChainState state = encoder.new_state();
  compare_output(loaded, "latent", encoder.forward(pixels, state).unsqueeze(0), report);
}

void run_taehv_decode(const Case& loaded, at::Device device, Report& report) {
  const LayerChain decoder = with_weights(taehv_decoder(config_of(loaded)), loaded, device);
  ChainState state = decoder.new_state();
  // One latent frame per call, as in a live stream.
  std::vector<at::Tensor> frames;
  for (const at::Tensor& latent : latent_input(loaded, device).split(1))
    frames.push_back(decoder.forward(latent, state));
  compare_output(loaded, "frames", at::cat(frames).unsqueeze(0), report);
}

// The reference's wrapper, which the engine does not use: no memory is carried; every call decodes the last
// latents again from empty memory in front of the new ones, and keeps the frames of the new ones.
void run_taehv_decode_context3(const Case& loaded, at::Device device, Report& report) {
  const LayerChain decoder = with_weights(taehv_decoder(config_of(loaded)), loaded, device);
  const auto& config = loaded.json.at("config");
  const int64_t context_latents = config.value("context_latents", int64_t{3});
  const auto call_latents = config.at("call_latents").get<std::vector<int64_t>>();
  const at::Tensor latents = latent_input(loaded, device);

  ChainState state = decoder.new_state();
  int64_t begin = 0;
  for (size_t call = 0; call < call_latents.size(); begin += call_latents[call++]) {
    const int64_t count = call_latents[call];
    const int64_t context = std::min(begin, context_latents);
    state.reset();
    const at::Tensor frames = decoder.forward(latents.narrow(0, begin - context, context + count), state);
    const int64_t kept = kFramesPerLatent * (begin == 0 ? count - 1 : count);
    compare_output(loaded, "call." + std::to_string(call) + ".frames",
                   frames.narrow(0, frames.size(0) - kept, kept).unsqueeze(0), report);
  }
}

}  // namespace sdv2::parity
