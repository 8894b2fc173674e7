// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/stream_case.h"

#include <stdexcept>

#include "dit/dit_config.h"
#include "dit/token_grid.h"

namespace sdv2::parity {
namespace {

using nlohmann::json;

// The sizes of the transformer (which parse_dit_config checks), then those of the stream.
const std::set<std::string> kFields = {"dim",
                                       "num_heads",
                                       "ffn_dim",
                                       "num_layers",
                                       "freq_dim",
                                       "text_dim",
                                       "text_len",
                                       "in_dim",
                                       "out_dim",
                                       "patch_size",
                                       "eps",
                                       "prompt_rows",
                                       "latent_hw",
                                       "tokens_per_frame",
                                       "num_kv_cache",
                                       "num_sink",
                                       "adapt_sink_threshold",
                                       "frames_per_block",
                                       "denoising_steps",
                                       "rows",
                                       "t2v",
                                       "rope_refresh",
                                       "restart_before_tick"};

void require(bool holds, const std::string& what, const json& value) {
  if (!holds) throw std::runtime_error("config: " + what + ", not " + value.dump());
}

void check_fields(const json& config, const std::set<std::string>& more_fields) {
  for (const auto& [name, value] : config.items())
    if (!kFields.contains(name) && !more_fields.contains(name))
      throw std::runtime_error("config: unknown field " + name + " = " + value.dump());
}

// A field that may be missing or null.
std::optional<int64_t> optional_int(const json& config, const char* name) {
  const auto value = config.find(name);
  if (value == config.end() || value->is_null()) return std::nullopt;
  require(value->is_number_integer() && *value > 0, std::string(name) + " must be a positive integer or null",
          *value);
  return value->get<int64_t>();
}

int64_t tokens_per_frame(const json& config) {
  const auto [h, w] = config.at("latent_hw").get<std::pair<int64_t, int64_t>>();
  require(h > 0 && w > 0 && h % kPatch == 0 && w % kPatch == 0, "latent_hw must be even numbers",
          config.at("latent_hw"));
  const int64_t tokens = TokenGrid::of_latents(1, h, w).per_frame();
  if (const auto listed = config.find("tokens_per_frame"); listed != config.end())
    require(*listed == tokens, "tokens_per_frame must fit latent_hw", *listed);
  return tokens;
}

}  // namespace

ReferenceRingConfig ring_config(const json& config) {
  const ReferenceRingConfig ring = {.slots = config.at("num_kv_cache"),
                                    .sinks = config.at("num_sink"),
                                    .sink_threshold = config.at("adapt_sink_threshold"),
                                    .steps = std::ssize(config.at("denoising_steps"))};
  require(ring.slots > 0, "num_kv_cache must be positive", ring.slots);
  require(ring.sinks >= 0 && ring.sinks <= ring.slots, "num_sink must be 0 to num_kv_cache", ring.sinks);
  require(ring.steps > 0, "denoising_steps must not be empty", config.at("denoising_steps"));
  return ring;
}

StreamCase parse_stream_case(const Case& golden, bool stream_batch,
                             const std::set<std::string>& more_fields) {
  if (const std::string mode = golden.json.value("mode", "parity"); !mode.starts_with("parity"))
    throw std::runtime_error("mode: '" + mode + "' is not the reference's behaviour (parity)");
  const auto& config = golden.json.at("config");
  check_fields(config, more_fields);
  StreamCase out = {.stream = {.ring = ring_config(config),
                               .frames_per_chunk = config.value("frames_per_block", int64_t{1}),
                               .text_to_video = config.value("t2v", false),
                               .stream_batch = stream_batch,
                               .refresh_at = optional_int(config, "rope_refresh")},
                    .timesteps = config.at("denoising_steps").get<std::vector<double>>(),
                    .tokens_per_frame = tokens_per_frame(config),
                    .restart_before_tick = optional_int(config, "restart_before_tick")};
  const auto& stream = out.stream;
  require(stream.frames_per_chunk > 0, "frames_per_block must be positive", stream.frames_per_chunk);
  require(stream.first_frames() <= stream.ring.slots, "num_kv_cache must hold the first chunk",
          stream.ring.slots);
  for (const double timestep : out.timesteps)
    require(timestep >= 0 && timestep <= 1000, "denoising_steps must be 0 to 1000",
            config.at("denoising_steps"));
  if (const auto rows = config.find("rows"); rows != config.end())
    require(*rows == stream.rows(), "rows must be " + std::to_string(stream.rows()) + " for this kind",
            *rows);
  return out;
}

}  // namespace sdv2::parity
