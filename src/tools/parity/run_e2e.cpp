// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind e2e: pixels through the reference's whole loop: noise controller, VAE encoder, mixing with noise,
// transformer with or without stream batch, VAE decoder.
#include <stdexcept>

#include "diffusion/denoising_list.h"
#include "diffusion/latent_ops.h"
#include "diffusion/motion_meter.h"
#include "diffusion/noise_controller.h"
#include "stream/noise_decision.h"
#include "tools/parity/autoencoder.h"
#include "tools/parity/engine_stream.h"
#include "tools/parity/inputs.h"
#include "tools/parity/kinds.h"
#include "tools/parity/noise_decision.h"
#include "tools/parity/outputs.h"
#include "tools/parity/stream_case.h"
#include "tools/parity/stream_trace.h"
#include "vae/wan_vae.h"

namespace sdv2::parity {
namespace {

using nlohmann::json;

constexpr int64_t kFramesPerLatent = 4;

StreamCase parse_config(const Case& golden) {
  const bool stream_batch = !golden.json.value("no_batch", false);
  const StreamCase config =
      parse_stream_case(golden, stream_batch, {"vae_base_dim", "pixel_hw", "init_noise_scale"});
  if (config.stream.text_to_video) throw std::runtime_error("config: e2e cases are video to video, not t2v");
  if (config.restart_before_tick) throw std::runtime_error("config: e2e cases have one session, no restart");
  return config;
}

// The video, [T, 3, H, W].
at::Tensor video_of(const Case& golden, at::Device device) {
  at::Tensor video = device_input(golden, "frames", device).squeeze(0).transpose(0, 1).contiguous();
  const auto [h, w] = golden.json.at("config").at("pixel_hw").get<std::pair<int64_t, int64_t>>();
  if (video.size(2) != h || video.size(3) != w)
    throw std::runtime_error("config: pixel_hw is not the size of the input frames");
  return video;
}

// As the reference hands frames out: [T, 3, H, W] in about [-1, 1] → [T, H, W, 3] in 0…1.
at::Tensor displayed(const at::Tensor& pixels) {
  const at::Tensor clamped = pixels.to(at::kFloat).clamp(-1, 1);
  return (clamped * 0.5 + 0.5).clamp(0, 1).permute({0, 2, 3, 1});
}

std::string chunk_name(int64_t chunk, const char* what) {
  return "chunk." + std::to_string(chunk) + "." + what;
}

// One run of a case, chunk by chunk.
class Pipeline {
 public:
  Pipeline(const Case& golden, at::Device device, Report& report)
      : golden_(golden),
        config_(parse_config(golden)),
        report_(report),
        low_precision_(golden.type() != at::kFloat),
        video_(video_of(golden, device)),
        controller_(golden.json.at("config").at("init_noise_scale").get<double>()),
        encoder_(with_weights(wan_encoder(vae_config(), LatentScale::kRaw), golden, device)),
        decoder_(with_weights(wan_decoder(vae_config()), golden, device)),
        encoder_state_(encoder_.new_state()),
        decoder_state_(decoder_.new_state()),
        network_(golden, config_.stream.ring, config_.tokens_per_frame, device, report),
        noise_(golden, device),
        stream_(network_, config_.stream, config_.timesteps, noise_) {}

  Outputs run() {
    const auto& records = golden_.json.at("chunks");
    for (int64_t i = 0; i < std::ssize(records); ++i) run_chunk(i, records.at(static_cast<size_t>(i)));
    report_.exact("noise_draws", noise_.used_up(), "not all were drawn");
    return std::move(out_);
  }

 private:
  WanVaeConfig vae_config() const {
    WanVaeConfig config;
    config.base_dim = golden_.json.at("config").at("vae_base_dim");
    return config;
  }

  void run_chunk(int64_t index, const json& record) {
    if (record.at("chunk") != index) throw std::runtime_error("chunks: not in order");
    const int64_t count = (index == 0 ? 1 : 0) + kFramesPerLatent * config_.stream.frames_per_chunk;
    const at::Tensor pixels = video_.narrow(0, next_frame_, count);
    next_frame_ += count;
    decide_noise(index, pixels, record);
    const at::Tensor latent = encoder_.forward(pixels, encoder_state_).unsqueeze(0);  // [1, F, 16, h, w]
    // The recorded decision: an own one that is rounded otherwise changes all that follows.
    const at::Tensor noisy = mix_noise(latent, noise_.next(latent.sizes()), record.at("noise_scale"));
    out_[chunk_name(index, "noisy")] = noisy;
    const auto chunk =
        index == 0 ? stream_.first_chunk(noisy) : stream_.next_chunk(noisy, record.at("step").get<double>());
    compare_chunk("chunk " + std::to_string(index), chunk, noise_.take_names(), record, low_precision_,
                  report_);
    emit(index, chunk, record);
  }

  void decide_noise(int64_t index, const at::Tensor& pixels, const json& record) {
    const std::string what = "chunk " + std::to_string(index) + " noise scale";
    if (index == 0) {
      meter_.start(pixels);
      report_.exact(what, record.at("noise_scale") == controller_.noise_scale());
      return;
    }
    NoiseDecision got;
    got.noise_scale = controller_.update(meter_.measure(pixels));
    got.step = first_timestep(got.noise_scale);
    report_.exact(what, close(got, {record.at("noise_scale"), record.at("step")}, low_precision_),
                  std::to_string(got.noise_scale) + ", step " + std::to_string(got.step));
  }

  // With one row per step, a chunk is finished when it has gone through all rows.
  void emit(int64_t index, const ReferenceChunk& chunk, const json& record) {
    const int64_t rows = config_.stream.rows();
    const bool finished = index == 0 || index >= rows;
    const int64_t emitted = index == 0 ? 0 : index - rows + 1;
    if (record.contains("emits_chunk"))
      report_.exact("chunk " + std::to_string(index) + " emits_chunk",
                    record.at("emits_chunk") == (finished ? json(emitted) : json(nullptr)));
    if (!finished) return;
    const at::Tensor latent = chunk.finished();
    out_[chunk_name(emitted, "latent")] = latent;
    out_[chunk_name(emitted, "frames")] = displayed(decoder_.forward(latent.squeeze(0), decoder_state_));
  }

  const Case& golden_;
  StreamCase config_;
  Report& report_;
  bool low_precision_;
  at::Tensor video_;
  NoiseController controller_;
  MotionMeter meter_;
  LayerChain encoder_;
  LayerChain decoder_;
  ChainState encoder_state_;
  ChainState decoder_state_;
  ReferenceNetwork network_;
  NoiseTape noise_;
  ReferenceStream stream_;
  int64_t next_frame_ = 0;
  Outputs out_;
};

Bounds bounds_of(const Case& golden, const std::string& name) {
  const bool frames = name.ends_with(".frames");
  return {tolerance_of(golden.json.at(frames ? "tolerance_frames" : "tolerance")),
          golden.json.at("measured").at(frames ? "frames" : "latents")};
}

// The same video through the engine.
void run_in_engine(const Case& golden, at::Device device, Report& report) {
  const StreamCase config = parse_config(golden);
  const auto& records = golden.json.at("chunks");
  const int64_t chunks = std::ssize(records);
  const at::Tensor video = video_of(golden, device);
  sdv2::NoiseDecision decision;
  std::vector<NoiseDecision> decided(static_cast<size_t>(chunks));
  std::vector<EngineChunk> inputs;
  int64_t next_frame = 0;
  for (int64_t i = 0; i < chunks; ++i) {
    const auto& record = records.at(static_cast<size_t>(i));
    const int64_t count = (i == 0 ? 1 : 0) + kFramesPerLatent * config.stream.frames_per_chunk;
    EngineChunk chunk{.pixels = video.narrow(0, next_frame, count),
                      .levels = {.noise_scale = record.at("noise_scale"), .timesteps = config.timesteps}};
    if (i > 0) chunk.levels.timesteps.front() = record.at("step");
    chunk.look = [&decision, &own = decided[static_cast<size_t>(i)],
                  wish = sdv2::NoiseDecision::Wish{
                      .index = i,
                      .noise_scale = golden.json.at("config").at("init_noise_scale").get<double>(),
                      .timesteps = config.timesteps}](const at::Tensor& pixels) {
      const auto levels = decision.decide(pixels, wish);
      own = {levels->noise_scale, static_cast<int>(levels->timesteps.front())};
    };
    inputs.push_back(std::move(chunk));
    next_frame += count;
  }
  WanVaeConfig vae;
  vae.base_dim = golden.json.at("config").at("vae_base_dim");
  const auto networks = case_networks(golden, device);
  networks->encoder = with_weights(wan_encoder(vae, LatentScale::kRaw), golden, device);
  networks->decoder = with_weights(wan_decoder(vae), golden, device);
  const auto results = run_engine(golden, config, networks, recorded_noise(golden, config, chunks, 0, device),
                                  std::move(inputs));
  EngineOutputs out;
  for (int64_t i = 0; i < chunks; ++i) {
    const EngineResult& result = results[static_cast<size_t>(i)];
    out[chunk_name(i, "noisy")][0] = result.latents.front();
    out[chunk_name(i, "latent")][0] = result.latents.back();
    out[chunk_name(i, "frames")][0] = displayed(result.pixels);
    if (i == 0) continue;  // it takes the scale as it is set
    const auto& record = records.at(static_cast<size_t>(i));
    report.exact("engine chunk " + std::to_string(i) + " noise scale",
                 close(decided[static_cast<size_t>(i)], {record.at("noise_scale"), record.at("step")},
                       golden.type() != at::kFloat));
  }
  compare_engine(golden, config, out, chunks - 1, bounds_of, report);
}

}  // namespace

void run_e2e(const Case& golden, at::Device device, Report& report) {
  compare_outputs(golden, Pipeline(golden, device, report).run(), bounds_of, report);
  if (!engine_refuses(parse_config(golden).stream)) run_in_engine(golden, device, report);
}

}  // namespace sdv2::parity
