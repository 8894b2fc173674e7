// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/fused/wan_layer.h"

#include <ATen/ATen.h>

#include <cmath>

#include "vae/latent_scale.h"

namespace sdv2 {
namespace {

using Kind = FusedWanLayer::Kind;

// The parameters of a layer by the end of their keys, behind the layer's own key.
class Params {
 public:
  Params(LayerChain& chain, size_t index) { chain.list_layer(index, ParamScope(list_)); }

  const Param* find(std::string_view end) const {
    for (const Param& param : list_)
      if (param.key.ends_with(end)) return &param;
    return nullptr;
  }
  bool has(std::string_view end) const { return find(end) != nullptr; }
  const std::vector<int64_t>& shape(std::string_view end) const { return at(end).shape; }
  // float32, on the device of the layer.
  at::Tensor tensor(std::string_view end) const { return at(end).slot->to(at::kFloat); }
  bool loaded() const { return list_.front().slot->defined(); }

 private:
  const Param& at(std::string_view end) const {
    const Param* const found = find(end);
    TORCH_CHECK(found != nullptr, "a layer of the Wan VAE has no parameter ", std::string(end));
    return *found;
  }
  ParamList list_;
};

void set_channels(FusedWanLayer& layer, const std::vector<int64_t>& weight) {
  layer.in = static_cast<int>(weight[1]);
  layer.out = static_cast<int>(weight[0]);
}

FusedWanLayer describe(const Params& params) {
  FusedWanLayer layer;
  if (params.has(".residual.2.weight")) {
    layer.kind = Kind::kResidual;
    set_channels(layer, params.shape(".residual.2.weight"));
  } else if (params.has(".proj.weight")) {
    layer.kind = Kind::kAttention;
    set_channels(layer, params.shape(".proj.weight"));
  } else if (params.has(".resample.1.weight")) {
    set_channels(layer, params.shape(".resample.1.weight"));
    layer.kind = layer.in == layer.out ? Kind::kDownsample : Kind::kUpsample;
    layer.temporal = params.has(".time_conv.weight");
  } else if (params.has(".head.2.weight")) {
    layer.kind = Kind::kHead;
    set_channels(layer, params.shape(".head.2.weight"));
  } else {
    const std::vector<int64_t>& weight = params.shape(".weight");
    set_channels(layer, weight);
    const bool stem = weight[2] == 3;
    layer.kind = stem ? Kind::kStem : layer.in == kLatentChannels ? Kind::kLatentInput : Kind::kPosteriorMean;
  }
  return layer;
}

constexpr int kWide = 192;  // channels of the wide tiles
constexpr int kNarrow = 96;

// For an output of `out` channels and `frames` frames.
ConvTile tile_of(int out, int frames, int time_taps) {
  if (out == kNarrow) return {kNarrow, 4, time_taps, true};
  return {kWide, frames > 1 ? 2 : 1, time_taps, true};
}

void pack_residual(FusedWanLayer& layer, const Params& params) {
  const ConvTile tile = tile_of(layer.out, layer.frames, 3);
  layer.gamma1 = params.tensor(".residual.0.gamma").flatten();
  layer.conv1 = pack_conv(params.tensor(".residual.2.weight"), params.tensor(".residual.2.bias"), tile);
  layer.gamma2 = params.tensor(".residual.3.gamma").flatten();
  layer.conv2 = pack_conv(params.tensor(".residual.6.weight"), params.tensor(".residual.6.bias"), tile);
  if (layer.in != layer.out)
    layer.shortcut = pack_pointwise(params.tensor(".shortcut.weight"), params.tensor(".shortcut.bias"),
                                    tile_of(layer.out, layer.frames, 1));
}

void pack_attention(FusedWanLayer& layer, const Params& params) {
  const int64_t dim = layer.in;
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  at::Tensor weight = params.tensor(".to_qkv.weight").flatten(1).clone(),
             bias = params.tensor(".to_qkv.bias").clone();
  weight.narrow(0, 0, dim).mul_(scale);
  bias.narrow(0, 0, dim).mul_(scale);
  layer.gamma1 = params.tensor(".norm.gamma").flatten();
  layer.qkv_weight = weight.to(at::kBFloat16);
  layer.qkv_bias = bias.to(at::kBFloat16);
  layer.proj_weight = params.tensor(".proj.weight").flatten(1).to(at::kBFloat16);
  layer.proj_bias = params.tensor(".proj.bias").to(at::kBFloat16);
}

void pack_downsample(FusedWanLayer& layer, const Params& params) {
  layer.conv1 = pack_stride2(params.tensor(".resample.1.weight"), params.tensor(".resample.1.bias"),
                             tile_of(layer.out, layer.frames, 1));
  if (layer.temporal)
    layer.time =
        pack_time(params.tensor(".time_conv.weight"), params.tensor(".time_conv.bias"), {kWide, 1, 3, false});
}

void pack_upsample(FusedWanLayer& layer, const Params& params) {
  const int frames = layer.temporal ? 2 * layer.frames : layer.frames;
  layer.conv1 = pack_upsample(params.tensor(".resample.1.weight"), params.tensor(".resample.1.bias"),
                              tile_of(layer.out, frames, 1));
  if (layer.temporal)
    layer.time = pack_time_double(params.tensor(".time_conv.weight"), params.tensor(".time_conv.bias"),
                                  {kWide, layer.frames, 3, false});
}

// factor and offset of the affine function f, each [16].
template <class F>
std::pair<at::Tensor, at::Tensor> affine(const F& f, const at::Tensor& like) {
  const at::Tensor offset = f(at::zeros({1, kLatentChannels, 1, 1}, at::kFloat)).flatten();
  const at::Tensor factor = f(at::ones({1, kLatentChannels, 1, 1}, at::kFloat)).flatten() - offset;
  return {factor.to(like.device()), offset.to(like.device())};
}

// W·(factor·z + offset) + b
void pack_latent_input(FusedWanLayer& layer, const Params& params) {
  const at::Tensor weight = params.tensor(".weight").flatten(1);
  const auto [factor, offset] = affine(denormalise_latent, weight);
  layer.latent_weight = (weight * factor).contiguous();
  layer.latent_bias = at::addmv(params.tensor(".bias"), weight, offset);
}

// The head's convolution and the 1×1 convolution behind it, of which only the mean is wanted, as one.
PackedConv pack_posterior(const Params& head, const Params& posterior, LatentScale scale, ConvTile tile) {
  const at::Tensor outer = posterior.tensor(".weight").flatten(1).narrow(0, 0, kLatentChannels);
  const at::Tensor inner = head.tensor(".head.2.weight");
  at::Tensor weight = at::mm(outer, inner.flatten(1)).view({kLatentChannels, inner.size(1), 3, 3, 3});
  at::Tensor bias =
      at::addmv(posterior.tensor(".bias").narrow(0, 0, kLatentChannels), outer, head.tensor(".head.2.bias"));
  if (scale == LatentScale::kNormalised) {
    const auto [factor, offset] = affine(normalise_latent, weight);
    weight = weight * factor.view({-1, 1, 1, 1, 1});
    bias = bias * factor + offset;
  }
  PackedConv conv = pack_conv(weight, bias, tile);
  conv.out_channels = tile.channels;  // the tensor has room for whole tiles
  return conv;
}

void pack(FusedWanLayer& layer, const Params& params) {
  switch (layer.kind) {
    case Kind::kLatentInput:
      return pack_latent_input(layer, params);
    case Kind::kStem:
      layer.conv1 = layer.in == 3
                        ? pack_picture_conv(params.tensor("conv1.weight"), params.tensor("conv1.bias"),
                                            tile_of(layer.out, layer.frames, 1))
                        : pack_conv(params.tensor("conv1.weight"), params.tensor("conv1.bias"),
                                    tile_of(layer.out, layer.frames, 3));
      return;
    case Kind::kResidual:
      return pack_residual(layer, params);
    case Kind::kAttention:
      return pack_attention(layer, params);
    case Kind::kDownsample:
      return pack_downsample(layer, params);
    case Kind::kUpsample:
      return pack_upsample(layer, params);
    case Kind::kHead:
      layer.gamma1 = params.tensor(".head.0.gamma").flatten();
      layer.conv1 = pack_conv(params.tensor(".head.2.weight"), params.tensor(".head.2.bias"),
                              layer.out == 3 ? ConvTile{8, 4, 3, true} : ConvTile{32, 1, 3, true});
      return;
    case Kind::kPosteriorMean:
      return;  // with the head
  }
}

}  // namespace

std::vector<FusedWanLayer> fused_wan_layers(LayerChain& chain, bool encoder, LatentScale scale) {
  std::vector<FusedWanLayer> layers;
  int frames = encoder ? 4 : 1, shrink = encoder ? 1 : 8;
  for (size_t i = 0; i < chain.layer_count(); ++i) {
    const Params params(chain, i);
    FusedWanLayer layer = describe(params);
    layer.frames = frames;
    layer.shrink = shrink;
    layer.loaded = params.loaded();
    if (layer.loaded) pack(layer, params);
    if (layer.kind == Kind::kDownsample) {
      shrink *= 2;
      if (layer.temporal) frames /= 2;
    }
    if (layer.kind == Kind::kUpsample) {
      shrink /= 2;
      if (layer.temporal) frames *= 2;
    }
    if (layer.kind == Kind::kPosteriorMean && layer.loaded && layers.back().loaded)
      layers.back().conv1_with_posterior =
          pack_posterior(Params(chain, i - 1), params, scale, layers.back().conv1.tile);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace sdv2
