// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/cost_prior.h"

#include <algorithm>

#include "stream/network_loader.h"
#include "stream/unit_costs.h"

namespace sdv2 {
namespace {

// Sustained operations per second. Only proportions matter once a device has run something.
constexpr double kGpu = 2e14, kCpu = 5e10;
// Tokens below which a linear of a GPU waits for its weights instead of computing.
constexpr double kRidgeTokens = 100;
// The part of a forward that rows can share at most.
constexpr double kSharedMost = 0.5;

constexpr int kWidthBits = 20, kHeightBits = 20, kFrameBits = 16;

}  // namespace

int64_t pack(const RowShape& shape) {
  return ((((int64_t{shape.passes} << kFrameBits) | shape.frames) << kHeightBits | shape.latent_height)
          << kWidthBits) |
         shape.latent_width;
}

RowShape unpack_row_shape(int64_t packed) {
  const auto take = [&](int bits) {
    const int64_t value = packed & ((int64_t{1} << bits) - 1);
    packed >>= bits;
    return value;
  };
  RowShape shape;
  shape.latent_width = take(kWidthBits);
  shape.latent_height = take(kHeightBits);
  shape.frames = take(kFrameBits);
  shape.passes = static_cast<int>(packed);
  return shape;
}

CostPrior::CostPrior(const ModelDescription& model, const std::vector<c10::Device>& devices)
    : latent_pixels_(static_cast<double>(model.stream.width / 8 * (model.stream.height / 8))) {
  const ChainShape shape = chain_shape(model, 1);
  const std::vector<double> costs = unit_costs(model, shape, /*on_cpu=*/false);
  for (int position = 0; position < shape.unit_count(); ++position) {
    const double cost = costs.at(static_cast<size_t>(position));
    switch (unit_at(shape, position).kind) {
      case UnitKind::kEncoderLayer:
        encoder_.push_back(cost);
        break;
      case UnitKind::kDecoderLayer:
        decoder_.push_back(cost);
        break;
      case UnitKind::kBlock:
        block_ = cost;
        break;
      default:
        break;
    }
  }
  for (const c10::Device device : devices) on_cpu_.push_back(device.is_cpu());
}

AffineCost CostPrior::operator()(const CostKey& key) const {
  const SegmentWork work = unpack_work(key.work);
  const RowShape shape = unpack_row_shape(key.shape);
  const auto pixels = static_cast<double>(shape.latent_height * shape.latent_width);
  const double frames = static_cast<double>(shape.frames) * pixels / latent_pixels_;
  const bool cpu = on_cpu_.at(static_cast<size_t>(key.device));
  double operations = 1e6;  // what every piece of work costs to begin
  const auto add_layers = [&](const std::vector<double>& layers) {
    for (int i = work.begin; i < std::min(work.end, static_cast<int>(layers.size())); ++i)
      operations += frames * layers[static_cast<size_t>(i)];
  };
  switch (work.kind) {
    case Segment::Kind::kEncode:
      add_layers(encoder_);
      break;
    case Segment::Kind::kDecode:
      add_layers(decoder_);
      break;
    case Segment::Kind::kDenoise:
      operations += frames * shape.passes * block_ * (work.end - work.begin);
      break;
  }
  const double seconds = operations / (cpu ? kCpu : kGpu);
  // On a CPU rows run one by one, and autoencoders never share.
  if (cpu || work.kind != Segment::Kind::kDenoise) return {.fixed_s = 0, .per_row_s = seconds};
  const double tokens = static_cast<double>(shape.frames) * pixels / 4;
  const double shared = seconds * std::min(kSharedMost, kRidgeTokens / std::max(tokens, 1.0));
  return {.fixed_s = shared, .per_row_s = seconds - shared};
}

}  // namespace sdv2
