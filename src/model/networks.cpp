// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/networks.h"

#include "vae/fused/fused_wan_vae.h"

namespace sdv2 {
namespace {

NetworkKind kind_of(Autoencoder choice) {
  return choice == Autoencoder::kTaehv ? NetworkKind::kTaehv : NetworkKind::kWanVae;
}

LatentScale scale_of(const ModelDescription& model) {
  return model.stream.normalise_encode ? LatentScale::kNormalised : LatentScale::kRaw;
}

}  // namespace

WanVaeConfig config_of(const WanVaeSpec& spec) { return {.base_dim = spec.base_dim}; }

TaehvConfig config_of(const TaehvSpec& spec) { return {spec.encoder_width, spec.decoder_widths}; }

Umt5Config config_of(const TextEncoderSpec& spec) {
  return {.vocab = spec.vocab,
          .dim = spec.dim,
          .dim_attn = spec.dim_attn,
          .dim_ffn = spec.dim_ffn,
          .num_heads = spec.num_heads,
          .num_layers = spec.num_layers,
          .eps = spec.eps};
}

LayerChain make_encoder(const ModelDescription& model) {
  if (model.encoder == Autoencoder::kTaehv) return taehv_encoder(config_of(model.taehv->spec));
  return wan_encoder(config_of(model.wan_vae->spec), scale_of(model));
}

LayerChain make_decoder(const ModelDescription& model) {
  if (model.decoder == Autoencoder::kTaehv) return taehv_decoder(config_of(model.taehv->spec));
  return wan_decoder(config_of(model.wan_vae->spec));
}

std::shared_ptr<const FusedChain> fuse_encoder(const ModelDescription& model, LayerChain& encoder) {
  if (model.encoder == Autoencoder::kTaehv) return nullptr;
  return fuse_wan_encoder(encoder, config_of(model.wan_vae->spec), scale_of(model));
}

std::shared_ptr<const FusedChain> fuse_decoder(const ModelDescription& model, LayerChain& decoder) {
  if (model.decoder == Autoencoder::kTaehv) return nullptr;
  return fuse_wan_decoder(decoder, config_of(model.wan_vae->spec));
}

NetworkKind encoder_kind(const ModelDescription& model) { return kind_of(model.encoder); }
NetworkKind decoder_kind(const ModelDescription& model) { return kind_of(model.decoder); }

}  // namespace sdv2
