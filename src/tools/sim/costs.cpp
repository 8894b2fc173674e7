// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/costs.h"

#include <numeric>

#include "base/json.h"
#include "base/quote.h"

namespace sdv2::sim {
namespace {

using Json = nlohmann::json;

double sum(const std::vector<UnitTime>& units) {
  return std::accumulate(units.begin(), units.end(), 0.0,
                         [](double total, const UnitTime& unit) { return total + unit.seconds; });
}

struct Recorded {
  double encode_s = 0, denoise_s = 0, decode_s = 0;
  bool complete() const { return encode_s > 0 && denoise_s > 0 && decode_s > 0; }
};

// Medians of a run's stages; a stage that is cut over devices counts with the sum of its parts.
Recorded stages_of(const Json& run) {
  Recorded recorded;
  if (!run.is_object() || !run.contains("stages") || !run["stages"].is_array()) return recorded;
  for (const Json& stage : run["stages"]) {
    if (!stage.is_object() || !stage.value("p50_ms", Json()).is_number() ||
        !stage.value("name", Json()).is_string())
      continue;
    const std::string name = stage["name"];
    const double seconds = stage["p50_ms"].get<double>() * 1e-3;
    if (name == "encode") recorded.encode_s += seconds;
    if (name == "decode") recorded.decode_s += seconds;
    if (name.starts_with("denoise ")) recorded.denoise_s += seconds;
  }
  const Json steps = run.value("steps", Json());
  if (!steps.is_number() || steps < 1) return {};
  recorded.denoise_s /= steps.get<double>();
  return recorded;
}

}  // namespace

CostBook::CostBook(const CostSettings& settings)
    : settings_(settings),
      dit_(settings.model == "14b" ? kDit14B : kDit1_3B),
      encode_scale_(1 / settings.efficiency),
      denoise_scale_(encode_scale_),
      decode_scale_(encode_scale_) {}

Result<void> CostBook::use_recorded(const std::filesystem::path& path) {
  SDV2_TRY(const Json report, read_json_file(path));
  const auto corrupt = [&](const std::string& why) {
    return Error{ErrorCode::kCorrupt, path.string() + ": " + why};
  };
  if (!report.is_object() || !report.value("runs", Json()).is_array())
    return corrupt("is no report of sdv2-bench --json: it has no \"runs\"");
  for (const char* side : {"height", "width"})
    if (!report.value(side, Json()).is_number_integer() || report[side] < 16 || report[side] > 16384)
      return corrupt("\"" + std::string(side) + "\" is no size in pixels");
  for (const Json& run : report["runs"]) {
    const Recorded recorded = stages_of(run);
    if (!recorded.complete()) continue;
    if (recorded.denoise_s <= settings_.shared_s)
      return corrupt("a denoising step takes less than the time that its rows share");
    const int height = report["height"], width = report["width"];
    encode_scale_ = recorded.encode_s / sum(halves(height, width).encoder);
    denoise_scale_ = (recorded.denoise_s - settings_.shared_s) / denoise_seconds(height, width);
    decode_scale_ = recorded.decode_s / sum(halves(height, width).decoder);
    return {};
  }
  return corrupt("no run has times of the stages encode, denoise and decode");
}

ChainShape CostBook::shape(int steps) const {
  const Halves& any = halves(512, 512);
  return {.encoder_layers = static_cast<int>(any.encoder.size()),
          .blocks = dit_.layers,
          .steps = steps,
          .decoder_layers = static_cast<int>(any.decoder.size())};
}

double CostBook::seconds(const Unit& unit, int height, int width, int rows) const {
  const auto layer = static_cast<size_t>(unit.index);
  switch (unit.kind) {
    case UnitKind::kEncoderLayer:
      return rows * encode_scale_ * halves(height, width).encoder[layer].seconds;
    case UnitKind::kDecoderLayer:
      return rows * decode_scale_ * halves(height, width).decoder[layer].seconds;
    case UnitKind::kBlock:
      return denoise_scale_ * denoising_unit(unit, height, width, rows).seconds +
             settings_.shared_s / dit_.layers;
    default:
      return denoise_scale_ * denoising_unit(unit, height, width, rows).seconds;
  }
}

double CostBook::bytes_out(const Unit& unit, int height, int width) const {
  const auto layer = static_cast<size_t>(unit.index);
  switch (unit.kind) {
    case UnitKind::kEncoderLayer:
      return halves(height, width).encoder[layer].bytes_out;
    case UnitKind::kDecoderLayer:
      return halves(height, width).decoder[layer].bytes_out;
    default:
      return denoising_unit(unit, height, width, 1).bytes_out;
  }
}

const CostBook::Halves& CostBook::halves(int height, int width) const {
  const auto found = halves_.find({height, width});
  if (found != halves_.end()) return found->second;
  Halves made = settings_.vae == "wan"
                    ? Halves{wan_encoder_times(height, width), wan_decoder_times(height, width)}
                    : Halves{taehv_encoder_times(height, width), taehv_decoder_times(height, width)};
  return halves_.emplace(std::pair(height, width), std::move(made)).first->second;
}

UnitTime CostBook::denoising_unit(const Unit& unit, int height, int width, int rows) const {
  switch (unit.kind) {
    case UnitKind::kPatchEmbedding:
      return patch_time(dit_, height, width, rows);
    case UnitKind::kBlock:
      return block_time(dit_, height, width, rows, settings_.window, settings_.fp8);
    case UnitKind::kHead:
      return head_time(dit_, height, width, rows);
    default:  // mixing in noise: a small elementwise operation; it hands on the latent frame
      return {0, 2.0 * 16 * (height / 8.0) * (width / 8.0)};
  }
}

double CostBook::denoise_seconds(int height, int width) const {
  return patch_time(dit_, height, width, 1).seconds + head_time(dit_, height, width, 1).seconds +
         dit_.layers * block_time(dit_, height, width, 1, settings_.window, settings_.fp8).seconds;
}

}  // namespace sdv2::sim
