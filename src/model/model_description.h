// SPDX-License-Identifier: LGPL-2.1-or-later
// What a model is: its networks with their sizes and files, and the settings its weights were trained for.
// Plain values, no tensors; made by describe_model (describe_model.h), read by everything that builds
// networks or streams.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dit/dit_config.h"

namespace sdv2 {

// Wan VAE: multipliers 1, 2, 4, 4, 16 latent channels, stride 4×8×8.
struct WanVaeSpec {
  int64_t base_dim = 96;  // 24: LightVAE

  bool operator==(const WanVaeSpec&) const = default;
};

// TAEHV autoencoder: 16 latent channels, three MemBlocks per level, stride 4×8×8.
struct TaehvSpec {
  int64_t encoder_width = 64;
  std::array<int64_t, 4> decoder_widths = {256, 128, 64, 64};  // from the latent to the pixels

  bool operator==(const TaehvSpec&) const = default;
};

// UMT5 encoder: 32 relative-position buckets up to a distance of 128, in every layer. Defaults: UMT5-XXL.
struct TextEncoderSpec {
  int64_t vocab = 256384;  // rows of the embedding table
  int64_t dim = 4096;
  int64_t dim_attn = 4096;  // all heads together
  int64_t dim_ffn = 10240;
  int64_t num_heads = 64;
  int64_t num_layers = 24;
  double eps = 1e-6;

  bool operator==(const TextEncoderSpec&) const = default;
};

// A network of the model: its sizes and its weight file (.safetensors, .safetensors.index.json, .pt, .pth;
// absolute or relative to the working directory). The file is empty for random weights.
template <class Spec>
struct Network {
  Spec spec;
  std::filesystem::path file;

  bool operator==(const Network&) const = default;
};

enum class Autoencoder : uint8_t { kWanVae, kTaehv };

// How a stream of this model runs unless the user says otherwise. Defaults: StreamDiffusionV2's
// video-to-video configuration.
struct StreamDefaults {
  // Timesteps that the model was distilled for, 0 < t ≤ 1000, falling. A stream of n steps uses the first n.
  std::vector<int64_t> steps = {700, 500, 400, 200};
  int64_t num_steps = 2;
  // The lowest timestep that the model may be told at a chunk's first step (first_timestep of
  // diffusion/denoising_list.h gives less for little noise).
  int64_t min_timestep = 0;
  double noise_scale = 0.8;   // 0…1: share of noise in the mixed latent
  double shift = 8.0;         // of the flow-match table
  int64_t chunk_latents = 1;  // latent frames per chunk; the first chunk has one more
  int64_t kv_frames = 6;      // slots of the KV ring, in latent frames
  int64_t sink_frames = 3;    // of these, slots that are never overwritten
  // Cosine similarity below which a sink frame is replaced, -1: never.
  double adaptive_sink_threshold = 0.2;
  // Whether the Wan VAE's latents are normalised before noise is mixed in. StreamDiffusionV2 checkpoints were
  // trained on raw ones. (Decoding always de-normalises; TAEHV's latents are normalised by construction.)
  bool normalise_encode = false;
  int64_t width = 832;  // pixels, multiples of 16
  int64_t height = 480;

  bool operator==(const StreamDefaults&) const = default;
};

enum class ModelOrigin : uint8_t {
  kModelJson,          // a folder with model.json
  kStreamDiffusionV2,  // Wan base folder and causal checkpoint
  kWan,                // the original Wan release
  kDiffusers,          // the diffusers release
  kRandom,             // random:…, no files
};

// "model.json folder", "StreamDiffusionV2 layout", …
const char* to_string(ModelOrigin origin);

struct ModelDescription {
  std::string name;  // for people
  ModelOrigin origin = ModelOrigin::kModelJson;
  std::filesystem::path folder;  // empty for random weights
  uint64_t seed = 0;             // of random weights

  Network<DitConfig> dit;
  // At least one of the two; encoder and decoder name the ones to use.
  std::optional<Network<WanVaeSpec>> wan_vae;
  std::optional<Network<TaehvSpec>> taehv;
  Autoencoder encoder = Autoencoder::kWanVae;
  Autoencoder decoder = Autoencoder::kWanVae;
  // Random models have neither: their prompt rows are made up as well. Otherwise both are there.
  std::optional<Network<TextEncoderSpec>> text_encoder;
  std::filesystem::path tokenizer;  // tokenizer.json or a SentencePiece model

  StreamDefaults stream;
  std::vector<std::string> notes;  // what a user should know, one sentence each

  bool operator==(const ModelDescription&) const = default;
};

// Checks every range above and what must agree between the networks (text_dim is the text encoder's dim, 16
// latent channels, an autoencoder for each direction). The error names the first wrong value: "dit.dim is
// 100, …".
Result<void> validate(const ModelDescription& model);

}  // namespace sdv2
