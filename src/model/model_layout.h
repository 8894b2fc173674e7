// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds a model's files in a folder as it was downloaded, by their names alone (nothing is opened).
//
//   StreamDiffusionV2   <base>        Wan base folder, see below
//                       model.pt      the causal checkpoint, in DIR itself, in DIR/<any>/ or DIR/ckpts/<any>/
//                       taew2_1.pth   optional: in DIR, DIR/ckpts or beside model.pt
//   original Wan        <base>        with diffusion_pytorch_model.safetensors[.index.json]
//   diffusers           transformer/  vae/  text_encoder/  tokenizer/
//
// <base> is a folder with config.json, Wan2.1_VAE.pth (or lightvaew2_1.pth), models_t5_umt5-xxl-enc-bf16.pth
// and google/umt5-xxl/tokenizer.json (or spiece.model): for original Wan DIR itself; for StreamDiffusionV2
// DIR itself, DIR/Wan2.1-T2V-* or DIR/wan_models/Wan2.1-T2V-*, and the same in the two folders above DIR, so
// that the checkpoint's folder can be named, too. The 1.3B and the 14B base hold the same VAE and text
// encoder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_description.h"

namespace sdv2 {

struct ModelFiles {
  ModelOrigin origin = ModelOrigin::kWan;
  std::filesystem::path folder;
  // Empty where nothing was found.
  std::filesystem::path dit;
  std::filesystem::path wan_vae;
  std::filesystem::path taehv;
  std::filesystem::path text_encoder;
  std::filesystem::path tokenizer;
  // config.json files that may describe a network: the first that fits its weights counts.
  std::vector<std::filesystem::path> dit_configs;
  std::filesystem::path wan_vae_config;
  std::filesystem::path text_encoder_config;
  // What the model cannot run without, one line each: what, which path, where to get it.
  std::vector<std::string> missing;
};

// Recognises the layout of a folder without model.json. Errors: kNotFound (no such folder, or nothing in it
// that belongs to a model; tells what to put there), kInvalidArgument (several causal checkpoints: tells
// their folders).
Result<ModelFiles> find_model_files(const std::filesystem::path& folder);

// "DIR: a <layout>, but these files are missing: …": all of `missing` in one error (kNotFound), or success.
Result<void> check_complete(const ModelFiles& files);

}  // namespace sdv2
