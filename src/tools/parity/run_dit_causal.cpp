// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind dit_causal: a few calls of the causal transformer through its cache, with intermediates of one call.
#include <map>
#include <memory>
#include <stdexcept>

#include "diffusion/flow_match.h"
#include "diffusion/latent_ops.h"
#include "dit/causal_dit.h"
#include "dit/modulation.h"
#include "dit/rope.h"
#include "tools/parity/index_trace.h"
#include "tools/parity/inputs.h"
#include "tools/parity/kinds.h"
#include "tools/parity/reference_kv.h"
#include "weights/formula_source.h"

namespace sdv2::parity {
namespace {

using Outputs = std::map<std::string, at::Tensor>;

// The network of a case with its caches, one per block.
struct Network {
  CausalDit dit;
  std::vector<std::unique_ptr<ReferenceKv>> caches;
  at::Tensor context;  // [1, text_len, dim], of the one prompt
  TextContext text;
};

// One call as the case lists it.
struct Call {
  std::string name;             // "call.1"
  at::Tensor latents;           // [R, F, 16, h, w]
  at::Tensor timesteps;         // [R, F]
  std::vector<int64_t> starts;  // [R], start frames
};

// The clean latents that the flow stands for; each frame has its own noise level.
at::Tensor clean_frames(const at::Tensor& flow, const at::Tensor& noisy, const at::Tensor& timesteps) {
  const FlowMatchTable table;
  at::Tensor sigma = timesteps.flatten().to(at::kCPU, at::kDouble).clone();  // [R * F]
  auto* values = sigma.mutable_data_ptr<double>();
  for (int64_t row = 0; row < sigma.numel(); ++row) values[row] = table.sigma_of(values[row]);
  sigma = sigma.to(flow.device(), at::kFloat);
  return clean_from_flow(flow.flatten(0, 1), noisy.flatten(0, 1), sigma).view_as(flow);
}

at::Tensor input(const Case& golden, const std::string& name, at::Device device) {
  return make_input(golden.json, name, golden.seed(), golden.type()).to(device, golden.type());
}

Network make_network(const Case& golden, at::Device device) {
  const auto& json = golden.json.at("config");
  const auto config = parse_dit_config(json, golden.name);
  if (!config.ok()) throw std::runtime_error(config.error().message);
  Network network{CausalDit(*config), {}, {}, {}};
  FormulaSource weights(golden.seed());
  if (const auto loaded = network.dit.load(DitPart::all(*config), weights, golden.type(), device);
      !loaded.ok())
    throw std::runtime_error(loaded.error().message);

  const ReferenceRingConfig ring = {.slots = json.at("num_kv_cache"),
                                    .sinks = json.at("num_sink"),
                                    .sink_threshold = json.at("adapt_sink_threshold"),
                                    .steps = std::ssize(json.at("denoising_steps"))};
  for (int64_t i = 0; i < config->num_layers; ++i)
    network.caches.push_back(std::make_unique<ReferenceKv>(
        ring, json.at("tokens_per_frame"), config->num_heads, at::dtype(golden.type()).device(device)));

  at::Tensor prompt = input(golden, "prompt_embeds", device);  // [1, text_len, text_dim]
  const int64_t prompt_rows = json.at("prompt_rows");
  prompt.narrow(1, prompt_rows, prompt.size(1) - prompt_rows).zero_();
  network.context = network.dit.embed_text(prompt);
  network.text = network.dit.text_context(network.context, {0, config->num_layers});
  return network;
}

Call make_call(const Case& golden, const nlohmann::json& json, at::Device device) {
  const int64_t frames = json.at("frames");
  const auto timesteps = json.at("timestep").get<std::vector<double>>();  // the same for all frames of a row
  return {"call." + json.at("call").dump(), input(golden, json.at("latent"), device),
          at::tensor(timesteps, at::kDouble).to(device).unsqueeze(1).expand({-1, frames}),
          json.at("start_frame").get<std::vector<int64_t>>()};
}

at::Tensor start_frames(const Call& call) {
  return at::tensor(call.starts, at::kLong).to(call.latents.device());
}

at::Tensor run_whole(const Network& network, const Call& call) {
  std::vector<KvStore*> kv;
  for (const auto& cache : network.caches) kv.push_back(cache.get());
  return network.dit.forward(call.latents, call.timesteps, start_frames(call), network.text, kv);
}

// The same piece by piece; keeps what lies between.
at::Tensor run_in_pieces(const Network& network, const Call& call, Outputs& out) {
  const auto keep = [&](const std::string& name, const at::Tensor& value) {
    return out[call.name + "." + name] = value;
  };
  const auto& dit = network.dit;
  const int64_t rows = call.latents.size(0);
  const auto grid = TokenGrid::of_latents(call.latents.size(1), call.latents.size(3), call.latents.size(4));
  const at::Tensor turns = rope_turns(start_frames(call), grid);
  const auto [e, e0] = dit.time(call.timesteps, call.latents.scalar_type());
  keep("e", e.flatten(0, 1));               // [R·F, dim]
  keep("e0", e0.flatten(2).flatten(0, 1));  // [R·F, 6·dim]
  keep("context", network.context.expand({rows, -1, -1}));
  at::Tensor x = keep("patch", dit.embed(call.latents));
  for (int64_t i = 0; i < dit.config().num_layers; ++i) {
    const std::string name = "block." + std::to_string(i);
    const auto index = static_cast<size_t>(i);
    const Block& block = dit.block(i);
    const BlockModulation m = block.modulation(e0);
    x = add_gated(x, keep(name + ".self_attn", block.self_attention(x, m, turns, *network.caches[index])),
                  m.gate1);
    x = x + keep(name + ".cross_attn", block.cross_attention(x, network.text[index]));
    x = keep(name, add_gated(x, block.feed_forward(x, m), m.gate2));
  }
  return dit.head(x, e, grid);
}

void run_call(Network& network, const Call& call, bool in_pieces, Outputs& out) {
  for (const auto& cache : network.caches) {
    if (cache->k().size(0) < call.latents.size(0)) cache->repeat(call.latents.size(0));
    cache->begin(call.starts);
  }
  const at::Tensor flow = in_pieces ? run_in_pieces(network, call, out) : run_whole(network, call);
  out[call.name + ".flow"] = flow;
  out[call.name + ".x0"] = clean_frames(flow, call.latents, call.timesteps);
}

void compare_outputs(const Case& golden, const Outputs& out, Report& report) {
  const auto& json = golden.json;
  const Tolerance final_tolerance = tolerance_of(json.at("tolerance"));
  const Tolerance tolerance = tolerance_of(json.value("tolerance_intermediates", json.at("tolerance")));
  const double measured = json.at("measured").at("flow_and_x0").at("rel_l2");
  for (const auto& [name, want] : golden.expected) {
    if (name.ends_with(".fp32")) continue;
    const auto got = out.find(name);
    if (got == out.end()) throw std::runtime_error("no output " + name);
    const auto fp32 = golden.expected.find(name + ".fp32");
    const bool is_final = name.ends_with(".flow") || name.ends_with(".x0");
    report.compare(name, got->second, want, is_final ? final_tolerance : tolerance,
                   fp32 == golden.expected.end() ? std::nullopt : std::optional(fp32->second), measured);
  }
}

}  // namespace

void run_dit_causal(const Case& golden, at::Device device, Report& report) {
  Network network = make_network(golden, device);
  Outputs out;
  for (const auto& json : golden.json.at("calls")) {
    const Call call = make_call(golden, json, device);
    run_call(network, call, golden.expected.contains(call.name + ".patch"), out);
    const auto& record = golden.json.at("trace").at(json.at("call").get<size_t>());
    for (size_t i = 0; i < network.caches.size(); ++i)
      compare_index(call.name + " block " + std::to_string(i), network.caches[i]->ring(),
                    block_record(record, i), report);
  }
  for (size_t i = 0; i < network.caches.size(); ++i) {
    const std::string name = "final.block." + std::to_string(i);
    out[name + ".kcache"] = network.caches[i]->k();
    out[name + ".vcache"] = network.caches[i]->v();
  }
  compare_outputs(golden, out, report);
}

}  // namespace sdv2::parity
