// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model_description.h"

#include <cmath>

namespace sdv2 {
namespace {

// Collects the first fault; the checks read like the list of rules that they are.
class Checker {
 public:
  void range(const char* what, int64_t value, int64_t low, int64_t high) {
    if (value < low || value > high)
      fail(what, std::to_string(value), "it must lie in " + std::to_string(low) + "…" + std::to_string(high));
  }
  void range(const char* what, double value, double low, double high) {
    if (!(value >= low && value <= high))
      fail(what, text(value), "it must lie in " + text(low) + "…" + text(high));
  }
  void multiple(const char* what, int64_t value, int64_t of) {
    if (value % of != 0) fail(what, std::to_string(value), "it must be a multiple of " + std::to_string(of));
  }
  void equal(const char* what, int64_t value, int64_t wanted, const char* why) {
    if (value != wanted)
      fail(what, std::to_string(value), "it must be " + std::to_string(wanted) + " (" + why + ")");
  }
  void require(bool holds, const char* rule) {
    if (!holds && fault_.empty()) fault_ = rule;
  }

  Result<void> result() const {
    if (fault_.empty()) return {};
    return Error{ErrorCode::kInvalidArgument, fault_};
  }

 private:
  static std::string text(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", value);
    return buffer;
  }
  void fail(const char* what, const std::string& value, const std::string& rule) {
    if (fault_.empty()) fault_ = std::string(what) + " is " + value + ", " + rule;
  }

  std::string fault_;
};

void check_dit(Checker& check, const DitConfig& dit) {
  check.range("dit.dim", dit.dim, 128, 16384);
  check.multiple("dit.dim", dit.dim, 128);
  check.equal("dit.num_heads", dit.num_heads, dit.dim / 128, "heads of 128");
  check.range("dit.ffn_dim", dit.ffn_dim, 1, 1 << 16);
  check.range("dit.num_layers", dit.num_layers, 1, 256);
  check.range("dit.freq_dim", dit.freq_dim, 2, 4096);
  check.multiple("dit.freq_dim", dit.freq_dim, 2);
  check.range("dit.text_dim", dit.text_dim, 1, 16384);
  check.range("dit.text_len", dit.text_len, 1, 4096);
  check.equal("dit.in_dim", dit.in_dim, 16, "latent channels");
  check.equal("dit.out_dim", dit.out_dim, 16, "latent channels");
  check.range("dit.eps", dit.eps, 1e-12, 0.1);
}

void check_autoencoders(Checker& check, const ModelDescription& model) {
  if (model.wan_vae) check.range("wan_vae.base_dim", model.wan_vae->spec.base_dim, 1, 1024);
  if (model.taehv) {
    check.range("taehv.encoder_width", model.taehv->spec.encoder_width, 1, 1024);
    for (const int64_t width : model.taehv->spec.decoder_widths)
      check.range("taehv.decoder_widths", width, 1, 1024);
  }
  const auto has = [&](Autoencoder choice) {
    return choice == Autoencoder::kWanVae ? model.wan_vae.has_value() : model.taehv.has_value();
  };
  check.require(has(model.encoder), "encoder names an autoencoder that the model does not have");
  check.require(has(model.decoder), "decoder names an autoencoder that the model does not have");
}

void check_text(Checker& check, const ModelDescription& model) {
  if (!model.text_encoder) return;
  const TextEncoderSpec& text = model.text_encoder->spec;
  check.range("text_encoder.vocab", text.vocab, 4, 1 << 20);
  check.range("text_encoder.dim", text.dim, 1, 16384);
  check.range("text_encoder.dim_attn", text.dim_attn, 1, 16384);
  check.range("text_encoder.dim_ffn", text.dim_ffn, 1, 1 << 16);
  check.range("text_encoder.num_heads", text.num_heads, 1, 256);
  check.require(text.num_heads < 1 || text.dim_attn % text.num_heads == 0,
                "text_encoder.dim_attn must be a multiple of text_encoder.num_heads");
  check.range("text_encoder.num_layers", text.num_layers, 1, 256);
  check.range("text_encoder.eps", text.eps, 1e-12, 0.1);
  check.equal("dit.text_dim", model.dit.spec.text_dim, text.dim, "the text encoder's dim");
  check.require(!model.tokenizer.empty(), "the text encoder has no tokenizer");
}

void check_stream(Checker& check, const StreamDefaults& stream) {
  check.range("stream.steps' length", static_cast<int64_t>(stream.steps.size()), 1, 64);
  for (size_t i = 0; i < stream.steps.size(); ++i) {
    check.range("stream.steps' entry", stream.steps[i], 1, 1000);
    check.require(i == 0 || stream.steps[i] < stream.steps[i - 1], "stream.steps must fall");
  }
  check.range("stream.num_steps", stream.num_steps, 1, static_cast<int64_t>(stream.steps.size()));
  check.range("stream.min_timestep", stream.min_timestep, 0, 1000);
  check.range("stream.noise_scale", stream.noise_scale, 0.0, 1.0);
  check.range("stream.shift", stream.shift, 1e-3, 1e3);
  check.range("stream.chunk_latents", stream.chunk_latents, 1, 64);
  check.range("stream.kv_frames", stream.kv_frames, stream.chunk_latents + 1, 1024);
  check.range("stream.sink_frames", stream.sink_frames, 0, stream.kv_frames - stream.chunk_latents);
  check.range("stream.adaptive_sink_threshold", stream.adaptive_sink_threshold, -1.0, 1.0);
  check.range("stream.width", stream.width, 16, 8192);
  check.multiple("stream.width", stream.width, 16);
  check.range("stream.height", stream.height, 16, 8192);
  check.multiple("stream.height", stream.height, 16);
}

}  // namespace

const char* to_string(ModelOrigin origin) {
  switch (origin) {
    case ModelOrigin::kModelJson:
      return "folder with model.json";
    case ModelOrigin::kStreamDiffusionV2:
      return "StreamDiffusionV2 layout";
    case ModelOrigin::kWan:
      return "original Wan layout";
    case ModelOrigin::kDiffusers:
      return "diffusers layout";
    case ModelOrigin::kRandom:
      return "random weights";
  }
  return "unknown";
}

Result<void> validate(const ModelDescription& model) {
  Checker check;
  check_dit(check, model.dit.spec);
  check_autoencoders(check, model);
  check_text(check, model);
  check_stream(check, model.stream);
  return check.result();
}

}  // namespace sdv2
