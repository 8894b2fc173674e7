// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind flow_match: tables, nearest-timestep lookups, warped lists, and the arithmetic on latents with exact
// bits.
#include <ATen/ATen.h>

#include <stdexcept>

#include "diffusion/flow_match.h"
#include "diffusion/latent_ops.h"
#include "tools/parity/inputs.h"
#include "tools/parity/kinds.h"

namespace sdv2::parity {
namespace {

void exact_bits(const std::string& what, const at::Tensor& got, const at::Tensor& want, Report& report) {
  if (got.sizes() != want.sizes() || got.scalar_type() != want.scalar_type()) {
    report.exact(what, false, "other shape or type");
    return;
  }
  const at::ScalarType bits = want.element_size() == 2 ? at::kShort : at::kInt;
  const auto differing = (got.cpu().contiguous().view(bits) != want.view(bits)).sum().item<int64_t>();
  report.exact(what, differing == 0,
               std::to_string(differing) + " of " + std::to_string(want.numel()) + " elements differ");
}

void compare_table(const FlowMatchTable& table, const Case& loaded, Report& report) {
  exact_bits("sigmas", at::tensor(table.sigmas(), at::kFloat), loaded.expected.at("sigmas"), report);
  exact_bits("timesteps", at::tensor(table.timesteps(), at::kFloat), loaded.expected.at("timesteps"), report);
  for (const auto& lookup : loaded.json.at("lookups")) {
    const int index = table.index_of(lookup.at("t").get<double>());
    report.exact("lookup of " + lookup.at("t").dump(),
                 index == lookup.at("index").get<int>() &&
                     table.sigmas()[index] == lookup.at("sigma").get<float>() &&
                     table.timesteps()[index] == lookup.at("table_t").get<float>(),
                 "index " + std::to_string(index));
  }
  for (const auto& [list, want] : loaded.json.at("warped_lists").items()) {
    const auto steps = nlohmann::json::parse(list).get<std::vector<float>>();
    report.exact("warped " + list, table.warp(steps) == want.get<std::vector<float>>());
  }
}

// "mix.0.755.bf16" → 0.755
double noise_scale_of(const std::string& name) {
  const size_t begin = name.find('.') + 1;
  return std::stod(name.substr(begin, name.rfind('.') - begin));
}

}  // namespace

void run_flow_match(const Case& loaded, at::Device device, Report& report) {
  const FlowMatchTable table(loaded.json.at("shift").get<double>());
  compare_table(table, loaded, report);

  std::vector<float> sigmas;
  for (const auto& timestep : loaded.json.at("timesteps_per_sample"))
    sigmas.push_back(table.sigma_of(timestep));
  const at::Tensor sigma = at::tensor(sigmas, at::kFloat).to(device);
  for (const auto& output : loaded.json.at("outputs")) {
    const std::string name = output.at("name");
    if (name == "sigmas" || name == "timesteps") continue;
    const at::ScalarType type = loaded.expected.at(name).scalar_type();
    const auto input = [&](const char* which) {
      return make_input(loaded.json, which, loaded.seed(), type).to(device, type);
    };
    at::Tensor got;
    if (name.starts_with("x0."))
      got = clean_from_flow(input("flow"), input("x"), sigma);
    else if (name.starts_with("renoise."))
      got = add_noise(input("clean"), input("eps"), sigma);
    else if (name.starts_with("mix."))
      got = mix_noise(input("clean"), input("eps"), noise_scale_of(name));
    else
      throw std::runtime_error("flow_match: unknown output " + name);
    exact_bits(name, got, loaded.expected.at(name), report);
  }
}

}  // namespace sdv2::parity
