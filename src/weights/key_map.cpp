// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/key_map.h"

#include <algorithm>
#include <array>

namespace sdv2 {
namespace {

// A key is <module>.<member> and .weight, .bias, .gamma or nothing. Both names of a module, and of a member,
// stand side by side; # stands for a number.
struct Names {
  std::string_view original;
  std::string_view renamed;

  std::string_view operator[](KeyLayout layout) const {
    return layout == KeyLayout::kOriginal ? original : renamed;
  }
};

// Modules of one type: all have the same members.
struct Group {
  std::span<const Names> modules;  // an empty name is the network itself
  std::span<const Names> members;  // an empty name is the module's own tensor
};

// --- Wan transformer

constexpr Names kNetwork[] = {{"", ""}};

constexpr Names kDitMembers[] = {
    {"patch_embedding", "patch_embedding"},
    {"text_embedding.0", "condition_embedder.text_embedder.linear_1"},
    {"text_embedding.2", "condition_embedder.text_embedder.linear_2"},
    {"time_embedding.0", "condition_embedder.time_embedder.linear_1"},
    {"time_embedding.2", "condition_embedder.time_embedder.linear_2"},
    {"time_projection.1", "condition_embedder.time_proj"},
    {"head.modulation", "scale_shift_table"},
    {"head.head", "proj_out"},
};

constexpr Names kDitBlocks[] = {{"blocks.#", "blocks.#"}};

constexpr Names kDitBlockMembers[] = {
    {"modulation", "scale_shift_table"},
    {"norm3", "norm2"},  // the affine norm before cross-attention; the others have no tensors
    {"ffn.0", "ffn.net.0.proj"},
    {"ffn.2", "ffn.net.2"},
};

constexpr Names kDitAttentions[] = {{"blocks.#.self_attn", "blocks.#.attn1"},
                                    {"blocks.#.cross_attn", "blocks.#.attn2"}};

constexpr Names kDitAttentionMembers[] = {
    {"q", "to_q"},     {"k", "to_k"},        {"v", "to_v"},
    {"o", "to_out.0"}, {"norm_q", "norm_q"}, {"norm_k", "norm_k"},
};

constexpr Group kDit[] = {
    {kNetwork, kDitMembers}, {kDitBlocks, kDitBlockMembers}, {kDitAttentions, kDitAttentionMembers}};

// --- Wan VAE

constexpr Names kVaeMembers[] = {{"conv1", "quant_conv"}, {"conv2", "post_quant_conv"}};

constexpr Names kVaeHalves[] = {{"encoder", "encoder"}, {"decoder", "decoder"}};

constexpr Names kVaeHalfMembers[] = {{"conv1", "conv_in"}, {"head.0", "norm_out"}, {"head.2", "conv_out"}};

// The encoder keeps its flat index; the decoder's is split into levels of three blocks and an upsampler.
constexpr Names kVaeBlocks[] = {
    {"encoder.downsamples.#", "encoder.down_blocks.#"},
    {"encoder.middle.0", "encoder.mid_block.resnets.0"},
    {"encoder.middle.2", "encoder.mid_block.resnets.1"},
    {"decoder.middle.0", "decoder.mid_block.resnets.0"},
    {"decoder.middle.2", "decoder.mid_block.resnets.1"},
    {"decoder.upsamples.0", "decoder.up_blocks.0.resnets.0"},
    {"decoder.upsamples.1", "decoder.up_blocks.0.resnets.1"},
    {"decoder.upsamples.2", "decoder.up_blocks.0.resnets.2"},
    {"decoder.upsamples.3", "decoder.up_blocks.0.upsamplers.0"},
    {"decoder.upsamples.4", "decoder.up_blocks.1.resnets.0"},
    {"decoder.upsamples.5", "decoder.up_blocks.1.resnets.1"},
    {"decoder.upsamples.6", "decoder.up_blocks.1.resnets.2"},
    {"decoder.upsamples.7", "decoder.up_blocks.1.upsamplers.0"},
    {"decoder.upsamples.8", "decoder.up_blocks.2.resnets.0"},
    {"decoder.upsamples.9", "decoder.up_blocks.2.resnets.1"},
    {"decoder.upsamples.10", "decoder.up_blocks.2.resnets.2"},
    {"decoder.upsamples.11", "decoder.up_blocks.2.upsamplers.0"},
    {"decoder.upsamples.12", "decoder.up_blocks.3.resnets.0"},
    {"decoder.upsamples.13", "decoder.up_blocks.3.resnets.1"},
    {"decoder.upsamples.14", "decoder.up_blocks.3.resnets.2"},
};

constexpr Names kVaeBlockMembers[] = {
    {"residual.0", "norm1"},    {"residual.2", "conv1"},       {"residual.3", "norm2"},
    {"residual.6", "conv2"},    {"shortcut", "conv_shortcut"}, {"resample.1", "resample.1"},
    {"time_conv", "time_conv"},
};

constexpr Names kVaeAttentions[] = {{"encoder.middle.1", "encoder.mid_block.attentions.0"},
                                    {"decoder.middle.1", "decoder.mid_block.attentions.0"}};

constexpr Names kVaeAttentionMembers[] = {{"norm", "norm"}, {"to_qkv", "to_qkv"}, {"proj", "proj"}};

constexpr Group kWanVae[] = {{kNetwork, kVaeMembers},
                             {kVaeHalves, kVaeHalfMembers},
                             {kVaeBlocks, kVaeBlockMembers},
                             {kVaeAttentions, kVaeAttentionMembers}};

// --- TAEHV

constexpr Names kTaehvLayers[] = {{"encoder.#", ""}, {"decoder.#", ""}};

constexpr Names kTaehvMembers[] = {{"", ""}, {"conv", ""}, {"conv.0", ""}, {"conv.2", ""}, {"conv.4", ""}};

constexpr Group kTaehv[] = {{kTaehvLayers, kTaehvMembers}};

// --- UMT5 encoder

constexpr Names kTextMembers[] = {{"token_embedding", "shared"}, {"norm", "encoder.final_layer_norm"}};

constexpr Names kTextBlocks[] = {{"blocks.#", "encoder.block.#"}};

constexpr Names kTextBlockMembers[] = {
    {"norm1", "layer.0.layer_norm"},
    {"attn.q", "layer.0.SelfAttention.q"},
    {"attn.k", "layer.0.SelfAttention.k"},
    {"attn.v", "layer.0.SelfAttention.v"},
    {"attn.o", "layer.0.SelfAttention.o"},
    {"pos_embedding.embedding", "layer.0.SelfAttention.relative_attention_bias"},
    {"norm2", "layer.1.layer_norm"},
    {"ffn.gate.0", "layer.1.DenseReluDense.wi_0"},  // the branch with the GELU
    {"ffn.fc1", "layer.1.DenseReluDense.wi_1"},
    {"ffn.fc2", "layer.1.DenseReluDense.wo"},
};

constexpr Group kTextEncoder[] = {{kNetwork, kTextMembers}, {kTextBlocks, kTextBlockMembers}};

std::span<const Group> groups_of(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::kDit:
      return kDit;
    case NetworkKind::kWanVae:
      return kWanVae;
    case NetworkKind::kTaehv:
      return kTaehv;
    case NetworkKind::kTextEncoder:
      return kTextEncoder;
  }
  return {};
}

// "blocks.#" and "norm3" → "blocks.#.norm3".
std::string join(std::string_view module, std::string_view member) {
  std::string name(module);
  if (!module.empty() && !member.empty()) name += '.';
  return name.append(member);
}

// The number that stands for the # of a pattern ("" for a pattern without one); nothing when the name does
// not fit.
std::optional<std::string_view> match(std::string_view pattern, std::string_view name) {
  const size_t hash = pattern.find('#');
  if (hash == std::string_view::npos)
    return name == pattern ? std::optional<std::string_view>("") : std::nullopt;
  const std::string_view before = pattern.substr(0, hash), after = pattern.substr(hash + 1);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  const std::string_view number = name.substr(hash, name.size() - before.size() - after.size());
  if (number.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return number;
}

std::optional<std::string> rename(NetworkKind kind, KeyLayout from, KeyLayout to, std::string_view key) {
  if (kind == NetworkKind::kTaehv && (from != KeyLayout::kOriginal || to != KeyLayout::kOriginal))
    return std::nullopt;
  constexpr std::array<std::string_view, 3> kSuffixes = {".weight", ".bias", ".gamma"};
  const auto* const found =
      std::ranges::find_if(kSuffixes, [&](auto suffix) { return key.ends_with(suffix); });
  const std::string_view suffix = found == kSuffixes.end() ? "" : *found;
  const std::string_view stem = key.substr(0, key.size() - suffix.size());

  for (const auto& group : groups_of(kind))
    for (const auto& module : group.modules)
      for (const auto& member : group.members) {
        const auto number = match(join(module[from], member[from]), stem);
        if (!number) continue;
        std::string name = join(module[to], member[to]);
        if (const size_t hash = name.find('#'); hash != std::string::npos) name.replace(hash, 1, *number);
        return name.append(suffix);
      }
  return std::nullopt;
}

}  // namespace

const char* to_string(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::kDit:
      return "dit";
    case NetworkKind::kWanVae:
      return "wan_vae";
    case NetworkKind::kTaehv:
      return "taehv";
    case NetworkKind::kTextEncoder:
      return "text_encoder";
  }
  return "unknown";
}

const char* title_of(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::kDit:
      return "Wan transformer";
    case NetworkKind::kWanVae:
      return "Wan VAE";
    case NetworkKind::kTaehv:
      return "TAEHV autoencoder";
    case NetworkKind::kTextEncoder:
      return "UMT5 text encoder";
  }
  return "unknown network";
}

const char* layout_title(NetworkKind kind, KeyLayout layout) {
  if (layout == KeyLayout::kOriginal) return "original names";
  return kind == NetworkKind::kTextEncoder ? "Hugging Face names" : "diffusers names";
}

std::optional<std::string> to_original(NetworkKind kind, KeyLayout layout, std::string_view key) {
  return rename(kind, layout, KeyLayout::kOriginal, key);
}

std::optional<std::string> from_original(NetworkKind kind, KeyLayout layout, std::string_view key) {
  return rename(kind, KeyLayout::kOriginal, layout, key);
}

std::optional<DetectedKeys> detect_keys(std::span<const std::string_view> keys) {
  constexpr size_t kEnough =
      2048;  // more than any of the networks has; bounds the time that a hostile file can take
  keys = keys.first(std::min(keys.size(), kEnough));
  std::optional<DetectedKeys> best;
  size_t best_count = 0;
  for (const NetworkKind kind : kNetworkKinds)
    for (const KeyLayout layout : {KeyLayout::kOriginal, KeyLayout::kRenamed}) {
      const auto fits = [&](std::string_view key) { return to_original(kind, layout, key).has_value(); };
      const auto count = static_cast<size_t>(std::ranges::count_if(keys, fits));
      if (count <= best_count) continue;  // on a tie the original names win
      best_count = count;
      best = DetectedKeys{kind, layout};
    }
  if (best_count == 0 || best_count * 2 < keys.size()) return std::nullopt;
  return best;
}

}  // namespace sdv2
