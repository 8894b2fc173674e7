// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/network_loader.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fnv1a.h"
#include "diffusion/noise_source.h"
#include "dit/fused/fused_dit.h"
#include "kernels/fused_support.h"
#include "model/network_files.h"
#include "model/networks.h"
#include "text/encode_prompt.h"

namespace sdv2 {
namespace {

PixelRange range_of(Autoencoder autoencoder) {
  return autoencoder == Autoencoder::kTaehv ? PixelRange::kUnsigned : PixelRange::kSigned;
}

// The units that one device runs, whatever their step.
struct Share {
  std::set<int> encoder_layers, decoder_layers, blocks;
  bool patch = false, head = false;
};

Share share_of(const std::vector<Plan>& plans, const std::vector<c10::Device>& devices, c10::Device device) {
  Share share;
  for (const Plan& plan : plans)
    for (int position = 0; position < plan.shape().unit_count(); ++position) {
      if (devices[static_cast<size_t>(plan.worker_of(position))] != device) continue;
      const Unit unit = unit_at(plan.shape(), position);
      switch (unit.kind) {
        case UnitKind::kEncoderLayer:
          share.encoder_layers.insert(unit.index);
          break;
        case UnitKind::kDecoderLayer:
          share.decoder_layers.insert(unit.index);
          break;
        case UnitKind::kBlock:
          share.blocks.insert(unit.index);
          break;
        case UnitKind::kPatchEmbedding:
          share.patch = true;
          break;
        case UnitKind::kHead:
          share.head = true;
          break;
        case UnitKind::kMixNoise:
          break;
      }
    }
  return share;
}

// A network's weights, opened when they are first needed and closed with this.
class Sources {
 public:
  explicit Sources(const ModelDescription& model) : model_(model) {}

  Result<WeightSource*> of(NetworkKind kind) {
    auto found = files_.find(kind);
    if (found == files_.end()) {
      SDV2_TRY(NetworkFile file, NetworkFile::open(model_, kind));
      found = files_.emplace(kind, std::move(file)).first;
    }
    return &found->second.weights();
  }

 private:
  const ModelDescription& model_;
  std::map<NetworkKind, NetworkFile> files_;
};

Result<void> load_layers(LayerChain& chain, const std::set<int>& layers, WeightSource& source,
                         at::ScalarType type, c10::Device device) {
  for (const int layer : layers) {
    ParamList params;
    chain.list_layer(static_cast<size_t>(layer), ParamScope(params));
    SDV2_CHECK(load_params(params, source, type, device));
    chain.prepare_layer(static_cast<size_t>(layer));
  }
  return {};
}

// Whether the linears of the blocks on that device are kept in fp8.
Result<bool> use_fp8_linears(const std::string& linears, const DitConfig& dit, at::ScalarType type,
                             c10::Device device, bool fused) {
  constexpr int64_t kWide = 4096;
  const bool can = fused && FusedDit::supports_fp8(dit, device);
  if (linears == "auto") return can && dit.dim >= kWide;
  if (linears == "fp8" && !can)
    return Error{ErrorCode::kUnsupported,
                 "there are no fp8 linears for this transformer in " + std::string(c10::toString(type)) +
                     (fused ? " on fused" : " on plain") + " kernels on " + device.str() +
                     "; they need fused kernels, BFloat16 and a Hopper GPU: choose linears=auto or bf16"};
  return linears == "fp8";
}

Result<void> load_transformer(CausalDit& dit, const Share& share, WeightSource& source, at::ScalarType type,
                              c10::Device device, bool fused, bool fp8) {
  const bool any = share.patch || share.head || !share.blocks.empty();
  if (!any) return {};
  SDV2_CHECK(dit.load({.patch = share.patch, .text = !share.blocks.empty(), .time = true, .head = share.head},
                      source, type, device));
  for (const int block : share.blocks) {
    SDV2_CHECK(dit.load({.blocks = {block, block + 1}}, source, type, device));
    if (fused) dit.join_qkv({block, block + 1});
    if (fp8) dit.quantise({block, block + 1});
  }
  return {};
}

}  // namespace

ChainShape chain_shape(const ModelDescription& model, int steps) {
  return {.encoder_layers = static_cast<int>(make_encoder(model).layer_count()),
          .blocks = static_cast<int>(model.dit.spec.num_layers),
          .steps = steps,
          .decoder_layers = static_cast<int>(make_decoder(model).layer_count())};
}

Result<std::vector<std::shared_ptr<const DeviceNetworks>>> load_networks(
    const ModelDescription& model, const std::vector<Plan>& plans, const std::vector<c10::Device>& devices,
    at::ScalarType type, const ModelConfig& config,
    const std::function<Result<void>(const char* what, int done, int count)>& step) {
  std::vector<c10::Device> distinct;
  for (const c10::Device device : devices)
    if (std::find(distinct.begin(), distinct.end(), device) == distinct.end()) distinct.push_back(device);

  Sources sources(model);
  std::vector<std::shared_ptr<const DeviceNetworks>> loaded;
  const int count = static_cast<int>(distinct.size()) * 3;
  int done = 0;
  for (const c10::Device device : distinct) {
    SDV2_TRY(const bool fused, use_fused_kernels(config.kernels, type, device));
    const Share share = share_of(plans, devices, device);
    const bool blocks = !share.blocks.empty();
    SDV2_TRY(const bool fp8, blocks ? use_fp8_linears(config.linears, model.dit.spec, type, device, fused)
                                    : Result<bool>(false));
    auto networks = std::make_shared<DeviceNetworks>(
        DeviceNetworks{device, type, fused, fp8, CausalDit(model.dit.spec), make_encoder(model),
                       make_decoder(model), range_of(model.encoder), range_of(model.decoder)});
    SDV2_CHECK(step("encoder", done++, count));
    SDV2_TRY(WeightSource * encoder, sources.of(encoder_kind(model)));
    SDV2_CHECK(load_layers(networks->encoder, share.encoder_layers, *encoder, type, device));
    SDV2_CHECK(step("transformer", done++, count));
    SDV2_TRY(WeightSource * dit, sources.of(NetworkKind::kDit));
    SDV2_CHECK(load_transformer(networks->dit, share, *dit, type, device, fused, fp8));
    SDV2_CHECK(step("decoder", done++, count));
    SDV2_TRY(WeightSource * decoder, sources.of(decoder_kind(model)));
    SDV2_CHECK(load_layers(networks->decoder, share.decoder_layers, *decoder, type, device));
    if (fused) {
      networks->fused_encoder = fuse_encoder(model, networks->encoder);
      networks->fused_decoder = fuse_decoder(model, networks->decoder);
    }
    loaded.push_back(std::move(networks));
  }
  std::vector<std::shared_ptr<const DeviceNetworks>> by_worker;
  for (const c10::Device device : devices)
    by_worker.push_back(
        loaded[static_cast<size_t>(std::find(distinct.begin(), distinct.end(), device) - distinct.begin())]);
  return by_worker;
}

Result<std::function<Result<at::Tensor>(const std::string&)>> load_text_encoder(const ModelDescription& model,
                                                                                at::ScalarType type,
                                                                                c10::Device device) {
  using Encode = std::function<Result<at::Tensor>(const std::string&)>;
  const int64_t text_len = model.dit.spec.text_len;
  if (!model.text_encoder) {
    const int64_t dim = model.dit.spec.text_dim;
    return Encode([=](const std::string& text) {
      return PhiloxNoise(fnv1a64(text)).draw({}, {text_len, dim}, type, device);
    });
  }
  auto encoder = std::make_shared<Umt5Encoder>(config_of(model.text_encoder->spec));
  SDV2_TRY(std::shared_ptr<Tokenizer> tokenizer, Tokenizer::open(model.tokenizer));
  SDV2_TRY(const NetworkFile file, NetworkFile::open(model, NetworkKind::kTextEncoder));
  SDV2_CHECK(load_params(params_of(*encoder), file.weights(), type, device));
  return Encode([=](const std::string& text) { return encode_prompt(*tokenizer, *encoder, text, text_len); });
}

}  // namespace sdv2
