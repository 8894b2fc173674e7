// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/taehv.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "vae/latent_scale.h"
#include "vae/taehv_layers.h"

namespace sdv2 {
namespace {

constexpr int64_t kRgb = 3;

// Key of the layer at an index of the reference's sequence;
// indices without parameters (ReLU, upsampling) are skipped.
std::string encoder_key(int index) { return "encoder." + std::to_string(index); }
std::string decoder_key(int index) { return "decoder." + std::to_string(index); }

// Dimension 0 of a convolution weight, or 0 when there is no such tensor.
int64_t output_width(const std::vector<TensorInfo>& tensors, const std::string& key) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const TensorInfo& info) { return info.key == key; });
  return found != tensors.end() && found->shape.size() == 4 ? found->shape[0] : 0;
}

}  // namespace

LayerChain taehv_encoder(const TaehvConfig& config) {
  const int64_t dim = config.encoder_width;
  const Conv2d halve{.in = dim, .out = dim, .stride = 2, .bias_use = Bias::kNone};
  LayerChain chain;
  chain.add<TaehvPixelInput>(encoder_key(0), kRgb, dim);  // [4k, 64, H, W]

  chain.add<TaehvTimePool>(encoder_key(2), dim, 2);  // [2k, 64, H, W]
  chain.add<TaehvConv>(encoder_key(3), halve);       // [2k, 64, H/2, W/2]
  for (const int index : {4, 5, 6}) chain.add<TaehvMemoryBlock>(encoder_key(index), dim);

  chain.add<TaehvTimePool>(encoder_key(7), dim, 2);  // [k, 64, H/2, W/2]
  chain.add<TaehvConv>(encoder_key(8), halve);       // [k, 64, H/4, W/4]
  for (const int index : {9, 10, 11}) chain.add<TaehvMemoryBlock>(encoder_key(index), dim);

  chain.add<TaehvTimePool>(encoder_key(12), dim, 1);
  chain.add<TaehvConv>(encoder_key(13), halve);  // [k, 64, H/8, W/8]
  for (const int index : {14, 15, 16}) chain.add<TaehvMemoryBlock>(encoder_key(index), dim);

  chain.add<TaehvConv>(encoder_key(17), Conv2d{dim, kLatentChannels});  // [k, 16, H/8, W/8]
  return chain;
}

LayerChain taehv_decoder(const TaehvConfig& config) {
  const auto& dim = config.decoder_widths;
  LayerChain chain;
  chain.add<TaehvLatentInput>(decoder_key(1), kLatentChannels, dim[0]);  // [n, 256, h, w]
  for (const int index : {3, 4, 5}) chain.add<TaehvMemoryBlock>(decoder_key(index), dim[0]);

  chain.add<TaehvTimeGrow>(decoder_key(7), dim[0], 1);
  chain.add<TaehvUpsample>(decoder_key(8), dim[0], dim[1], Activation::kNone);  // [n, 128, 2h, 2w]
  for (const int index : {9, 10, 11}) chain.add<TaehvMemoryBlock>(decoder_key(index), dim[1]);

  chain.add<TaehvTimeGrow>(decoder_key(13), dim[1], 2);                          // [2n, 128, 2h, 2w]
  chain.add<TaehvUpsample>(decoder_key(14), dim[1], dim[2], Activation::kNone);  // [2n, 64, 4h, 4w]
  for (const int index : {15, 16, 17}) chain.add<TaehvMemoryBlock>(decoder_key(index), dim[2]);

  chain.add<TaehvTimeGrow>(decoder_key(19), dim[2], 2);                          // [4n, 64, 4h, 4w]
  chain.add<TaehvUpsample>(decoder_key(20), dim[2], dim[3], Activation::kRelu);  // [4n, 64, 8h, 8w]
  chain.add<TaehvPixelOutput>(decoder_key(22), dim[3], kRgb);  // [4n or 4n − 3, 3, 8h, 8w]
  return chain;
}

Result<TaehvConfig> taehv_config_of(const WeightSource& source) {
  TaehvConfig config;
  const auto* const tensors = source.tensors();
  if (tensors == nullptr) return config;
  const auto width = [&](const std::string& layer) { return output_width(*tensors, layer + ".weight"); };
  config.encoder_width = width(encoder_key(0));
  config.decoder_widths = {width(decoder_key(1)), width(decoder_key(8)), width(decoder_key(14)),
                           width(decoder_key(20))};
  const auto& dims = config.decoder_widths;
  if (config.encoder_width == 0 || std::find(dims.begin(), dims.end(), 0) != dims.end())
    return Error{ErrorCode::kCorrupt,
                 source.name() +
                     " is not a TAEHV file: encoder.0, decoder.1, decoder.8, decoder.14 and "
                     "decoder.20 must be 2-D convolutions"};
  return config;
}

Result<void> check_taehv(const TaehvConfig& config, const WeightSource& source) {
  LayerChain encoder = taehv_encoder(config);
  LayerChain decoder = taehv_decoder(config);
  ParamList all = params_of(encoder);
  const ParamList rest = params_of(decoder);
  all.insert(all.end(), rest.begin(), rest.end());
  return check_keys(all, source);
}

}  // namespace sdv2
