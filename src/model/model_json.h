// SPDX-License-Identifier: LGPL-2.1-or-later
// model.json: the project's own description of a model folder.
//
//   {
//     "format": "sdv2-model", "version": 1,
//     "name": "StreamDiffusionV2 1.3B",                 for people
//     "dit": {"file": "dit.safetensors.index.json", "dim": 1536, "ffn_dim": 8960, "num_heads": 12,
//             "num_layers": 30, "freq_dim": 256, "text_dim": 4096, "text_len": 512, "in_dim": 16,
//             "out_dim": 16, "eps": 1e-6},
//     "wan_vae": {"file": "wan_vae.safetensors", "base_dim": 96},
//     "taehv": {"file": "taehv.safetensors", "encoder_width": 64, "decoder_widths": [256, 128, 64, 64]},
//     "encoder": "wan_vae", "decoder": "wan_vae",       or "taehv"
//     "text_encoder": {"file": "text_encoder.safetensors.index.json", "vocab": 256384, "dim": 4096,
//                      "dim_attn": 4096, "dim_ffn": 10240, "num_heads": 64, "num_layers": 24, "eps": 1e-6},
//     "tokenizer": "tokenizer.json",                    or a SentencePiece model, *.model
//     "stream": {"steps": [700, 500, 400, 200], "num_steps": 2, "min_timestep": 0, "noise_scale": 0.8,
//                "shift": 8.0, "chunk_latents": 1, "kv_frames": 6, "sink_frames": 3,
//                "adaptive_sink_threshold": 0.2, "normalise_encode": false, "width": 832, "height": 480}
//   }
//
// Required: format, version, dit, at least one of wan_vae and taehv, text_encoder, tokenizer, and every size
// of a network (eps may be left out: 1e-6). encoder and decoder may be left out when there is only one
// autoencoder; stream and each field in it may be left out (model_description.h has the defaults, meanings
// and ranges). Nothing else may stand there. A file is named relative to the folder, with no ".." in its
// path, and may be .safetensors, .safetensors.index.json, .pt or .pth; symbolic links are followed.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "model/model_description.h"

namespace sdv2 {

inline constexpr const char* kModelJson = "model.json";

// Reads <folder>/model.json. Files become <folder>/<file>; all that are missing are named in one error.
// Errors: kNotFound, kCorrupt (not valid, unknown key, wrong type, a size out of range), kUnsupported (a
// newer version of the format).
Result<ModelDescription> read_model_json(const std::filesystem::path& folder);

// The document of a description whose files lie in model.folder.
nlohmann::ordered_json to_model_json(const ModelDescription& model);

}  // namespace sdv2
