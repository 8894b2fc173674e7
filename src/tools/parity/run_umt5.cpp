// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds umt5 (the text encoder with formula weights) and umt5_buckets (its relative position buckets).
#include <stdexcept>

#include "text/relative_buckets.h"
#include "text/umt5_encoder.h"
#include "tools/parity/kinds.h"
#include "weights/formula_source.h"

namespace sdv2::parity {
namespace {

Umt5Config config_of(const nlohmann::json& json) {
  Umt5Config config;
  config.vocab = json.at("vocab");
  config.dim = json.at("dim");
  config.dim_attn = json.at("dim_attn");
  config.dim_ffn = json.at("dim_ffn");
  config.num_heads = json.at("num_heads");
  config.num_layers = json.at("num_layers");
  config.num_buckets = json.at("num_buckets");
  config.max_distance = json.at("max_distance");
  config.eps = json.at("eps");
  return config;
}

// The first lengths[i] rows of each text i of [texts, text_len, dim], one after the other.
at::Tensor real_rows(const at::Tensor& rows, const std::vector<int64_t>& lengths) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < lengths.size(); ++i)
    parts.push_back(rows[static_cast<int64_t>(i)].narrow(0, 0, lengths[i]));
  return at::cat(parts);
}

}  // namespace

void run_umt5(const Case& loaded, at::Device device, Report& report) {
  const auto& json = loaded.json;
  Umt5Encoder encoder(config_of(json.at("config")));
  FormulaSource weights(loaded.seed());
  if (auto status = load_params(params_of(encoder), weights, loaded.type(), device); !status.ok())
    throw std::runtime_error(status.error().message);

  const auto ids = json.at("ids").get<std::vector<std::vector<int64_t>>>();
  const auto lengths = json.at("lengths").get<std::vector<int64_t>>();
  std::vector<at::Tensor> contexts, first_blocks;  // [text_len, dim] each, zero behind the real tokens
  for (size_t i = 0; i < ids.size(); ++i) {
    const at::Tensor tokens = at::tensor(ids[i], at::kLong).narrow(0, 0, lengths.at(i));
    const auto padded = [&](const at::Tensor& rows) {
      return at::constant_pad_nd(rows, {0, 0, 0, static_cast<int64_t>(ids[i].size()) - lengths[i]});
    };
    contexts.push_back(padded(encoder.forward(tokens)));
    first_blocks.push_back(
        padded(encoder.blocks().at(0).forward(encoder.embed(tokens), encoder.buckets(lengths[i]))));
  }

  const Tolerance tolerance = tolerance_of(json.at("tolerance"));
  const double measured = json.at("measured").at("rel_l2");
  const auto fp32_twin = [&](const char* name) -> std::optional<at::Tensor> {
    const auto found = loaded.expected.find(name);
    return found == loaded.expected.end() ? std::nullopt : std::optional(found->second);
  };
  report.compare("context", at::stack(contexts), loaded.expected.at("context"), tolerance,
                 fp32_twin("context.fp32"), measured);
  report.compare("block.0", real_rows(at::stack(first_blocks), lengths),
                 real_rows(loaded.expected.at("block.0"), lengths), tolerance);
}

void run_umt5_buckets(const Case& loaded, at::Device, Report& report) {
  constexpr int64_t kNumBuckets = 32, kMaxDistance = 128;  // the case has no other settings
  const auto range = loaded.json.at("range").get<std::vector<int64_t>>();
  int64_t next = range.at(0);
  for (const auto& run : loaded.json.at("runs")) {
    const int64_t first = run.at(0), last = run.at(1), want = run.at(2);
    if (first != next) throw std::runtime_error("runs: a gap before " + std::to_string(first));
    for (int64_t position = first; position <= last; ++position) {
      const int64_t got = relative_bucket(position, kNumBuckets, kMaxDistance);
      report.exact("position " + std::to_string(position), got == want,
                   "bucket " + std::to_string(got) + ", wanted " + std::to_string(want));
    }
    next = last + 1;
  }
  if (next != range.at(1) + 1) throw std::runtime_error("runs: they end at " + std::to_string(next - 1));
}

}  // namespace sdv2::parity
