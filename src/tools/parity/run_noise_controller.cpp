// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind noise_controller: the motion of pixel sequences, and the noise scales and steps that follow. What must
// be exact and what may differ is written in the case's "compare".
#include <ATen/ATen.h>

#include <cmath>
#include <sstream>

#include "diffusion/denoising_list.h"
#include "diffusion/motion_meter.h"
#include "diffusion/noise_controller.h"
#include "stream/noise_decision.h"
#include "tools/parity/inputs.h"
#include "tools/parity/kinds.h"
#include "tools/parity/noise_decision.h"

namespace sdv2::parity {
namespace {

struct Decision {
  double motion = 0;
  NoiseDecision noise;
};

// The expected decision of a row; `division` "" for the CPU's division by 0.2, "_times5" for a CUDA device's
// product with 5.
Decision expected(const nlohmann::json& row, const std::string& division) {
  return {row.at("m" + division), {row.at("noise_scale" + division), row.at("step" + division)}};
}

bool close(const Decision& got, const Decision& want, bool bf16) {
  if (bf16 && std::abs(got.motion - want.motion) > std::ldexp(want.motion, -8)) return false;
  return close(got.noise, want.noise, bf16);
}

void run_sequence(const nlohmann::json& sequence, at::Device device, Report& report) {
  const bool bf16 = sequence.at("profile") == "bf16";
  const auto& rule = sequence.at("frames");
  const at::Tensor pixels = frames(rule.at("shape").get<std::vector<int64_t>>(), rule.at("seed"),
                                   rule.at("amp"), rule.at("offsets").get<std::vector<int64_t>>())
                                .squeeze(0)
                                .transpose(0, 1)  // [3, T, H, W] → [T, 3, H, W]
                                .contiguous()
                                .to(device, bf16 ? at::kBFloat16 : at::kFloat);
  const double initial_scale = sequence.at("init_noise_scale");
  NoiseController controller(initial_scale);
  NoiseController from_listed_motion(initial_scale);
  MotionMeter meter;
  sdv2::NoiseDecision engine;
  const auto decide_in_engine = [&](int64_t chunk, const at::Tensor& chunk_pixels) -> NoiseDecision {
    const auto levels =
        engine.decide(chunk_pixels, {.index = chunk, .noise_scale = initial_scale, .timesteps = {700}});
    return {levels->noise_scale, static_cast<int>(levels->timesteps.front())};
  };
  for (const auto& row : sequence.at("rows")) {
    const auto [first, last] = row.at("frames").get<std::pair<int64_t, int64_t>>();
    const bool begins = &row == &sequence.at("rows").front();
    if (begins) meter.start(pixels.narrow(0, 0, first));
    if (begins) decide_in_engine(0, pixels.narrow(0, 0, first));
    Decision got;
    const at::Tensor chunk_pixels = pixels.narrow(0, first, last - first + 1);
    got.motion = meter.measure(chunk_pixels);
    got.noise.noise_scale = controller.update(got.motion);
    got.noise.step = first_timestep(got.noise.noise_scale);
    const Decision divided = expected(row, "");
    std::ostringstream what;
    what << sequence.at("name") << " " << sequence.at("profile") << " chunk " << row.at("chunk");
    std::ostringstream difference;
    difference << "motion " << got.motion << ", noise scale " << got.noise.noise_scale << ", step "
               << got.noise.step;
    report.exact(what.str(), close(got, divided, bf16) || close(got, expected(row, "_times5"), bf16),
                 difference.str());
    const NoiseDecision decided = decide_in_engine(row.at("chunk"), chunk_pixels);
    report.exact("engine " + what.str(),
                 close(decided, divided.noise, bf16) || close(decided, expected(row, "_times5").noise, bf16));
    if (!bf16) continue;
    const double noise_scale = from_listed_motion.update(divided.motion);
    report.exact(
        what.str() + " from the listed motion",
        noise_scale == divided.noise.noise_scale && first_timestep(noise_scale) == divided.noise.step);
  }
}

}  // namespace

void run_noise_controller(const Case& loaded, at::Device device, Report& report) {
  for (const auto& sequence : loaded.json.at("sequences")) run_sequence(sequence, device, report);
  int index = 0;
  for (const auto& series : loaded.json.at("double_arithmetic")) {
    NoiseController controller(series.at("init"));
    for (const auto& row : series.at("rows")) {
      const double noise_scale = controller.update(row.at("m"));
      report.exact("double arithmetic " + std::to_string(index),
                   noise_scale == row.at("noise_scale").get<double>() &&
                       first_timestep(noise_scale) == row.at("step").get<int>());
    }
    ++index;
  }
  report.ran_engine("the decisions of every sequence of pictures");
}

}  // namespace sdv2::parity
