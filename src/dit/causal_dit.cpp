// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/causal_dit.h"

#include <ATen/ATen.h>

#include "dit/rope.h"

namespace sdv2 {

CausalDit::CausalDit(const DitConfig& config)
    : config_(config),
      patch_(config),
      text_(config),
      time_(config),
      blocks_(static_cast<size_t>(config.num_layers), Block(config)),
      head_(config) {}

void CausalDit::list(const ParamScope& p) { list_part(p, DitPart::all(config_)); }

void CausalDit::list_part(const ParamScope& p, const DitPart& part) {
  if (part.patch) patch_.list(p / "patch_embedding");
  if (part.text) text_.list(p / "text_embedding");
  if (part.time) time_.list(p);
  for (int64_t i = part.blocks.begin; i < part.blocks.end; ++i)
    blocks_[static_cast<size_t>(i)].list(p / "blocks" / i);
  if (part.head) head_.list(p / "head");
}

Result<void> CausalDit::load(const DitPart& part, WeightSource& source, at::ScalarType type,
                             at::Device device) {
  if (part.blocks.begin < 0 || part.blocks.begin > part.blocks.end || part.blocks.end > config_.num_layers)
    return Error{ErrorCode::kInvalidArgument,
                 "blocks " + std::to_string(part.blocks.begin) + " to " + std::to_string(part.blocks.end) +
                     " asked of a transformer of " + std::to_string(config_.num_layers)};
  SDV2_CHECK(check_keys(params_of(*this), source));
  ParamList params;
  list_part(ParamScope(params), part);
  return load_params(params, source, type, device);
}

void CausalDit::join_qkv(const BlockRange& range) {
  for (int64_t i = range.begin; i < range.end; ++i) blocks_.at(static_cast<size_t>(i)).join_qkv();
}

void CausalDit::quantise(const BlockRange& range) {
  for (int64_t i = range.begin; i < range.end; ++i) blocks_.at(static_cast<size_t>(i)).quantise();
}

TextContext CausalDit::text_context(const at::Tensor& context, const BlockRange& range) const {
  TextContext text;
  for (int64_t i = range.begin; i < range.end; ++i) text.push_back(block(i).text_kv(context));
  return text;
}

at::Tensor CausalDit::forward(const at::Tensor& latents, const at::Tensor& timesteps,
                              const at::Tensor& start_frames, const TextContext& text,
                              std::span<KvStore* const> kv) const {
  const auto grid = TokenGrid::of_latents(latents.size(1), latents.size(3), latents.size(4));
  const at::Tensor turns = rope_turns(start_frames, grid);
  const auto [e, e0] = time(timesteps, latents.scalar_type());  // [R, F, dim], [R, F, 6, dim]
  at::Tensor x = embed(latents);                                // [R, F·S, dim]
  for (size_t i = 0; i < blocks_.size(); ++i) x = blocks_[i].forward(x, e0, turns, text.at(i), *kv[i]);
  return head(x, e, grid);  // [R, F, out_dim, h, w]
}

}  // namespace sdv2
