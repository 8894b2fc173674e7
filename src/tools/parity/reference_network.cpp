// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/reference_network.h"

#include <stdexcept>

#include "diffusion/flow_match.h"
#include "diffusion/latent_ops.h"
#include "tools/parity/inputs.h"
#include "weights/formula_source.h"

namespace sdv2::parity {
namespace {

// [R] noise levels.
at::Tensor sigmas(const std::vector<double>& timesteps, at::Device device) {
  const FlowMatchTable table;
  std::vector<float> values;
  for (const double timestep : timesteps) values.push_back(table.sigma_of(timestep));
  return at::tensor(values, at::kFloat).to(device);
}

}  // namespace

DitConfig case_dit_config(const Case& golden) {
  auto config = parse_dit_config(golden.json.at("config"), golden.name);
  if (!config.ok()) throw std::runtime_error(config.error().message);
  return *config;
}

at::Tensor case_prompt(const Case& golden, at::Device device) {
  at::Tensor prompt = device_input(golden, "prompt_embeds", device);
  const int64_t rows = golden.json.at("config").at("prompt_rows");
  prompt.narrow(1, rows, prompt.size(1) - rows).zero_();
  return prompt;
}

ReferenceNetwork::ReferenceNetwork(const Case& golden, const ReferenceRingConfig& ring,
                                   int64_t tokens_per_frame, at::Device device, Report& report)
    : dit_(case_dit_config(golden)) {
  FormulaSource weights(golden.seed());
  const auto loaded = dit_.load(DitPart::all(dit_.config()), weights, golden.type(), device);
  if (!loaded.ok()) throw std::runtime_error(loaded.error().message);
  for (int64_t i = 0; i < block_count(); ++i)
    caches_.push_back(std::make_unique<ReferenceKv>(ring, tokens_per_frame, dit_.config().num_heads,
                                                    at::dtype(golden.type()).device(device)));
  if (golden.fused) {
    if (golden.type() == at::kBFloat16 && ring.sink_threshold <= -1) {
      dit_.join_qkv({0, block_count()});
      fused_ = FusedDit::create(dit_, device);
    }
    if (!fused_)
      report.note("ran on plain kernels: there are no fused ones for " +
                  std::string(c10::toString(golden.type())) + " on " + device.str() + " with these sinks");
  }
  context_ = dit_.embed_text(case_prompt(golden, device));
  text_ = dit_.text_context(context_, {0, block_count()});
}

at::Tensor ReferenceNetwork::forward(const at::Tensor& latents, const std::vector<double>& timesteps,
                                     const std::vector<int64_t>& starts) {
  begin(starts);
  if (fused_) return forward_fused(latents, timesteps, starts);
  std::vector<KvStore*> kv;
  for (const auto& cache : caches_) kv.push_back(cache.get());
  const at::Tensor levels = at::tensor(timesteps, at::kDouble).to(latents.device());
  return dit_.forward(latents, levels.unsqueeze(1).expand({-1, latents.size(1)}),
                      at::tensor(starts, at::kLong).to(latents.device()), text_, kv);
}

at::Tensor ReferenceNetwork::forward_fused(const at::Tensor& latents, const std::vector<double>& timesteps,
                                           const std::vector<int64_t>& starts) {
  FusedCall call;
  call.embed = call.head = true;
  call.blocks = {0, block_count()};
  call.grid = TokenGrid::of_latents(latents.size(1), latents.size(3), latents.size(4));
  std::vector<std::vector<FusedKv>> kv;  // [block][row]
  for (const auto& cache : caches_) kv.push_back(cache->place(latents.size(1)));
  for (int64_t r = 0; r < latents.size(0); ++r) {
    const auto index = static_cast<size_t>(r);
    FusedRow& row = call.rows.emplace_back();
    row.input = latents.narrow(0, r, 1);
    row.start_frame = starts[index];
    row.timesteps.assign(static_cast<size_t>(latents.size(1)), timesteps[index]);
    for (const auto& of_block : kv) row.kv.push_back(of_block[index]);
    row.text = text_;
  }
  return fused_->run(call).out;
}

void ReferenceNetwork::begin(const std::vector<int64_t>& starts) {
  for (const auto& cache : caches_) cache->begin(starts);
}

void ReferenceNetwork::repeat(int64_t rows) {
  for (const auto& cache : caches_) cache->repeat(rows);
}

void ReferenceNetwork::restart() {
  for (const auto& cache : caches_) cache->restart();
}

void keep_caches(ReferenceNetwork& network, Outputs& out) {
  for (int64_t i = 0; i < network.block_count(); ++i) {
    const std::string name = "final.block." + std::to_string(i);
    out[name + ".kcache"] = network.cache(i).k();
    out[name + ".vcache"] = network.cache(i).v();
  }
}

at::Tensor clean_rows(const at::Tensor& flow, const at::Tensor& noisy, const std::vector<double>& timesteps) {
  return clean_from_flow(flow, noisy, sigmas(timesteps, flow.device()));
}

at::Tensor noised_rows(const at::Tensor& clean, const at::Tensor& noise,
                       const std::vector<double>& timesteps) {
  return add_noise(clean, noise, sigmas(timesteps, clean.device()));
}

at::Tensor device_input(const Case& golden, const std::string& name, at::Device device) {
  return make_input(golden.json, name, golden.seed(), golden.type()).to(device, golden.type());
}

}  // namespace sdv2::parity
