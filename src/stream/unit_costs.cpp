// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/unit_costs.h"

#include "model/networks.h"

namespace sdv2 {
namespace {

constexpr FrameGrid kPixels{4, 8};  // of a latent frame
constexpr FrameGrid kLatents{1, 1};
// The demo model on two cores with AVX2: 46 operations of the transformer in a nanosecond, 60 of the
// autoencoder.
constexpr double kTransformerOnCpu = 1.3;

// Per token: the linears (q, k, v, o; q and o of the cross-attention; two of the feed-forward network) and
// both attentions.
double block_operations(const DitConfig& dit, double tokens, double kv_frames) {
  const auto dim = static_cast<double>(dit.dim);
  const double linears = 2 * (6 * dim * dim + 2 * dim * static_cast<double>(dit.ffn_dim));
  const double attentions = 4 * dim * (tokens * kv_frames + static_cast<double>(dit.text_len));
  return tokens * (linears + attentions);
}

}  // namespace

std::vector<double> unit_costs(const ModelDescription& model, const ChainShape& shape, bool on_cpu) {
  const StreamDefaults& stream = model.stream;
  const double latent_pixels = static_cast<double>(stream.width) / 8 * static_cast<double>(stream.height) / 8;
  const std::vector<double> encoder = make_encoder(model).layer_costs(kPixels);
  const std::vector<double> decoder = make_decoder(model).layer_costs(kLatents);
  const double block =
      block_operations(model.dit.spec, latent_pixels / 4, static_cast<double>(stream.kv_frames)) *
      (on_cpu ? kTransformerOnCpu : 1);

  std::vector<double> costs;
  for (int position = 0; position < shape.unit_count(); ++position) {
    const Unit unit = unit_at(shape, position);
    const auto index = static_cast<size_t>(unit.index);
    switch (unit.kind) {
      case UnitKind::kEncoderLayer:
        costs.push_back(2 * latent_pixels * encoder.at(index));
        break;
      case UnitKind::kDecoderLayer:
        costs.push_back(2 * latent_pixels * decoder.at(index));
        break;
      case UnitKind::kBlock:
        costs.push_back(block);
        break;
      default:
        costs.push_back(0);
        break;
    }
  }
  return costs;
}

}  // namespace sdv2
