// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/bench/floor.h"

#include <algorithm>
#include <numeric>

#include "tools/sim/roofline.h"

namespace sdv2::bench {
namespace {

using Json = nlohmann::json;
using sim::UnitTime;

double sum(const std::vector<UnitTime>& units) {
  return std::accumulate(units.begin(), units.end(), 0.0,
                         [](double total, const UnitTime& unit) { return total + unit.seconds; });
}

// Seconds of one latent frame, or of `rows` of them at once.
class Floors {
 public:
  Floors(const LoadedModel& loaded, const RunResult& run)
      : networks_(loaded.info.value("networks", Json::object())),
        height_(loaded.height),
        width_(loaded.width),
        rows_(loaded.info.value("chunk", 1)),
        window_(run.settings.value("kv_cache_frames", 0)),
        fp8_(loaded.info.value("linears", "") == "fp8") {}

  std::optional<double> of(const std::string& stage) const {
    if (stage == "encode") return autoencoder("encoder", sim::wan_encoder_times, sim::taehv_encoder_times);
    if (stage == "decode") return autoencoder("decoder", sim::wan_decoder_times, sim::taehv_decoder_times);
    if (stage.starts_with("denoise ")) return step();
    return std::nullopt;
  }

 private:
  using Times = std::vector<UnitTime> (*)(int, int);

  std::optional<double> autoencoder(const char* half, Times wan, Times taehv) const {
    const std::string kind = networks_.value(half, "");
    if (kind == "taehv") return rows_ * sum(taehv(height_, width_));
    constexpr int kWanWidth = 96;
    if (kind == "wan" && networks_.value("wan_width", 0) == kWanWidth)
      return rows_ * sum(wan(height_, width_));
    return std::nullopt;
  }

  std::optional<double> step() const {
    const Json sizes = networks_.value("transformer", Json::object());
    if (!sizes.is_object()) return std::nullopt;
    const sim::DitSize dit = {"", sizes.value("dim", 0), sizes.value("ffn", 0), sizes.value("heads", 0),
                              sizes.value("layers", 0)};
    if (dit.dim <= 0 || dit.ffn <= 0 || dit.layers <= 0 || window_ <= 0) return std::nullopt;
    return sim::patch_time(dit, height_, width_, rows_).seconds +
           dit.layers * sim::block_time(dit, height_, width_, rows_, window_, fp8_).seconds +
           sim::head_time(dit, height_, width_, rows_).seconds;
  }

  Json networks_;
  int height_, width_, rows_, window_;
  bool fp8_;
};

}  // namespace

std::vector<StageFloor> stage_floors(const LoadedModel& loaded, const RunResult& run) {
  const Floors floors(loaded, run);
  std::vector<StageFloor> stages;
  for (const StageTimes& part : run.stages) {
    if (part.worker < 0) continue;
    const auto same = std::find_if(stages.begin(), stages.end(),
                                   [&](const StageFloor& stage) { return stage.name == part.name; });
    if (same != stages.end())
      same->p50_ms += part.times.p50_ms;
    else
      stages.push_back({part.name, part.times.p50_ms, floors.of(part.name)});
  }
  StageFloor all = {"all", 0, 0};
  for (StageFloor& stage : stages) {
    if (stage.floor_ms) *stage.floor_ms *= 1e3;
    all.p50_ms += stage.p50_ms;
    if (!stage.floor_ms)
      all.floor_ms.reset();
    else if (all.floor_ms)
      *all.floor_ms += *stage.floor_ms;
  }
  if (all.floor_ms) stages.push_back(std::move(all));
  return stages;
}

}  // namespace sdv2::bench
