// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/network_files.h"

#include <ATen/ATen.h>

#include "dit/causal_dit.h"
#include "model/networks.h"
#include "vae/taehv_source.h"
#include "weights/formula_source.h"

namespace sdv2 {
namespace {

// The keys of an autoencoder: its encoder's and its decoder's.
ParamList both(LayerChain encoder, LayerChain decoder) {
  ParamList all = params_of(encoder);
  const ParamList rest = params_of(decoder);
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

ParamList list_of(const ModelDescription& model, NetworkKind kind) {
  switch (kind) {
    case NetworkKind::kDit: {
      CausalDit dit(model.dit.spec);
      return params_of(dit);
    }
    case NetworkKind::kWanVae: {
      const WanVaeConfig config = config_of(model.wan_vae->spec);
      return both(wan_encoder(config, LatentScale::kRaw), wan_decoder(config));
    }
    case NetworkKind::kTaehv: {
      const TaehvConfig config = config_of(model.taehv->spec);
      return both(taehv_encoder(config), taehv_decoder(config));
    }
    case NetworkKind::kTextEncoder: {
      Umt5Encoder encoder(config_of(model.text_encoder->spec));
      return params_of(encoder);
    }
  }
  return {};
}

template <class Model>
auto& file_in(Model& model, NetworkKind kind) {
  switch (kind) {
    case NetworkKind::kWanVae:
      return model.wan_vae->file;
    case NetworkKind::kTaehv:
      return model.taehv->file;
    case NetworkKind::kTextEncoder:
      return model.text_encoder->file;
    case NetworkKind::kDit:
      break;
  }
  return model.dit.file;
}

}  // namespace

std::vector<NetworkKind> networks_of(const ModelDescription& model) {
  std::vector<NetworkKind> kinds = {NetworkKind::kDit};
  if (model.wan_vae) kinds.push_back(NetworkKind::kWanVae);
  if (model.taehv) kinds.push_back(NetworkKind::kTaehv);
  if (model.text_encoder) kinds.push_back(NetworkKind::kTextEncoder);
  return kinds;
}

const std::filesystem::path& file_of(const ModelDescription& model, NetworkKind kind) {
  return file_in(model, kind);
}

void set_file(ModelDescription& model, NetworkKind kind, const std::filesystem::path& file) {
  file_in(model, kind) = file;
}

ParamList parameters_of(const ModelDescription& model, NetworkKind kind) {
  ParamList params = list_of(model, kind);
  for (auto& param : params) param.slot = nullptr;  // the networks that they belonged to are gone
  return params;
}

Result<NetworkFile> NetworkFile::open(const ModelDescription& model, NetworkKind kind) {
  NetworkFile network;
  if (model.origin == ModelOrigin::kRandom) {
    network.file_ = std::make_unique<FormulaSource>(model.seed);
    return network;
  }
  SDV2_TRY(network.file_, open_network(file_of(model, kind), kind));
  if (kind == NetworkKind::kTaehv)
    network.cut_ = std::make_unique<TaehvSource>(*network.file_, config_of(model.taehv->spec));
  SDV2_CHECK(check_keys(parameters_of(model, kind), network.weights()));
  return network;
}

Result<void> check_networks(const ModelDescription& model) {
  std::optional<Error> faults;
  for (const NetworkKind kind : networks_of(model)) {
    const auto network = NetworkFile::open(model, kind);
    if (network.ok()) continue;
    if (faults)
      faults->message += "\n" + network.error().message;
    else
      faults = network.error();
  }
  if (faults) return *std::move(faults);
  return {};
}

}  // namespace sdv2
