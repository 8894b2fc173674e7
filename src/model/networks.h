// SPDX-License-Identifier: LGPL-2.1-or-later
// From a description to the networks themselves, still without weights. The weights come from NetworkFile
// (network_files.h), all at once or in parts:
//
//   SDV2_TRY(const ModelDescription model, describe_model("random:1.3b"));
//   CausalDit dit(model.dit.spec);
//   SDV2_TRY(const NetworkFile file, NetworkFile::open(model, NetworkKind::kDit));
//   SDV2_CHECK(dit.load(DitPart::all(dit.config()), file.weights(), at::kBFloat16, device));
//   LayerChain encoder = make_encoder(model);
//   SDV2_TRY(const NetworkFile pixels, NetworkFile::open(model, encoder_kind(model)));
//   SDV2_CHECK(load_params(params_of(encoder), pixels.weights(), at::kBFloat16, device));
#pragma once

#include <memory>

#include "model/model_description.h"
#include "text/umt5_encoder.h"
#include "vae/fused/fused_chain.h"
#include "vae/layer_chain.h"
#include "vae/taehv.h"
#include "vae/wan_vae.h"
#include "weights/key_map.h"

namespace sdv2 {

WanVaeConfig config_of(const WanVaeSpec& spec);
TaehvConfig config_of(const TaehvSpec& spec);
Umt5Config config_of(const TextEncoderSpec& spec);

// The autoencoder that model.encoder (model.decoder) names. A Wan encoder gives latents on the scale that
// the transformer was trained for (stream.normalise_encode). Pixels: see wan_vae.h and taehv.h.
LayerChain make_encoder(const ModelDescription& model);
LayerChain make_decoder(const ModelDescription& model);

// Their fused twins when the layers that a device needs are loaded; nothing for those that have none (see
// fused_wan_vae.h).
std::shared_ptr<const FusedChain> fuse_encoder(const ModelDescription& model, LayerChain& encoder);
std::shared_ptr<const FusedChain> fuse_decoder(const ModelDescription& model, LayerChain& decoder);

// The network that holds their weights.
NetworkKind encoder_kind(const ModelDescription& model);
NetworkKind decoder_kind(const ModelDescription& model);

}  // namespace sdv2
