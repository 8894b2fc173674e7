// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind dit_causal: a few calls of the causal transformer through its cache, with intermediates of one call.
#include "dit/modulation.h"
#include "dit/rope.h"
#include "tools/parity/index_trace.h"
#include "tools/parity/kinds.h"
#include "tools/parity/outputs.h"
#include "tools/parity/reference_network.h"
#include "tools/parity/stream_case.h"

namespace sdv2::parity {
namespace {

// One call as the case lists it.
struct Call {
  std::string name;               // "call.1"
  at::Tensor latents;             // [R, F, 16, h, w]
  std::vector<double> timesteps;  // [R], the same for all frames of a row
  std::vector<int64_t> starts;    // [R], start frames
};

Call make_call(const Case& golden, const nlohmann::json& json, at::Device device) {
  return {"call." + json.at("call").dump(), device_input(golden, json.at("latent"), device),
          json.at("timestep").get<std::vector<double>>(), json.at("start_frame").get<std::vector<int64_t>>()};
}

// network.forward() piece by piece, on plain kernels; keeps what lies between.
at::Tensor run_in_pieces(ReferenceNetwork& network, const Call& call, Outputs& out) {
  const auto keep = [&](const std::string& name, const at::Tensor& value) {
    return out[call.name + "." + name] = value;
  };
  const auto& dit = network.dit();
  const int64_t rows = call.latents.size(0);
  const auto grid = TokenGrid::of_latents(call.latents.size(1), call.latents.size(3), call.latents.size(4));
  const at::Device device = call.latents.device();
  const at::Tensor turns = rope_turns(at::tensor(call.starts, at::kLong).to(device), grid);
  const at::Tensor timesteps = at::tensor(call.timesteps, at::kDouble).to(device).unsqueeze(1);
  const auto [e, e0] = dit.time(timesteps.expand({-1, grid.frames}), call.latents.scalar_type());
  keep("e", e.flatten(0, 1));               // [R·F, dim]
  keep("e0", e0.flatten(2).flatten(0, 1));  // [R·F, 6·dim]
  keep("context", network.context().expand({rows, -1, -1}));
  at::Tensor x = keep("patch", dit.embed(call.latents));
  network.begin(call.starts);
  for (int64_t i = 0; i < network.block_count(); ++i) {
    const std::string name = "block." + std::to_string(i);
    const Block& block = dit.block(i);
    const BlockModulation m = block.modulation(e0);
    x = add_gated(x, keep(name + ".self_attn", block.self_attention(x, m, turns, network.cache(i))), m.gate1);
    x = x + keep(name + ".cross_attn", block.cross_attention(x, network.text().at(static_cast<size_t>(i))));
    x = keep(name, add_gated(x, block.feed_forward(x, m), m.gate2));
  }
  return dit.head(x, e, grid);
}

Bounds bounds_of(const Case& golden, const std::string& name) {
  const auto& json = golden.json;
  const bool is_final = name.ends_with(".flow") || name.ends_with(".x0");
  const auto& tolerance =
      is_final ? json.at("tolerance") : json.value("tolerance_intermediates", json.at("tolerance"));
  return {tolerance_of(tolerance), json.at("measured").at("flow_and_x0")};
}

}  // namespace

void run_dit_causal(const Case& golden, at::Device device, Report& report) {
  const auto& config = golden.json.at("config");
  ReferenceNetwork network(golden, ring_config(config), config.at("tokens_per_frame"), device, report);
  Outputs out;
  int64_t rows = 1;
  for (const auto& json : golden.json.at("calls")) {
    const Call call = make_call(golden, json, device);
    if (call.latents.size(0) > rows) network.repeat(rows = call.latents.size(0));
    const bool in_pieces = golden.expected.contains(call.name + ".patch");
    const at::Tensor flow = in_pieces ? run_in_pieces(network, call, out)
                                      : network.forward(call.latents, call.timesteps, call.starts);
    out[call.name + ".flow"] = flow;
    out[call.name + ".x0"] = clean_rows(flow, call.latents, call.timesteps);
    const auto& record = golden.json.at("trace").at(json.at("call").get<size_t>());
    for (int64_t i = 0; i < network.block_count(); ++i)
      compare_index(call.name + " block " + std::to_string(i), network.cache(i).ring(),
                    block_record(record, static_cast<size_t>(i)), report);
  }
  keep_caches(network, out);
  compare_outputs(golden, out, bounds_of, report);
}

}  // namespace sdv2::parity
