// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of weights. The project knows a tensor by its original name (Wan, UMT5 and TAEHV state dicts);
// the same networks are also published under the names of diffusers and Hugging Face transformers. It is a
// pure renaming: no tensor is transposed, split or joined. Tables: diffusers WanTransformer3DModel,
// AutoencoderKLWan, transformers UMT5EncoderModel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sdv2 {

enum class NetworkKind : uint8_t { kDit, kWanVae, kTaehv, kTextEncoder };
inline constexpr NetworkKind kNetworkKinds[] = {NetworkKind::kDit, NetworkKind::kWanVae, NetworkKind::kTaehv,
                                                NetworkKind::kTextEncoder};

// "dit", "wan_vae", "taehv", "text_encoder": the words of model.json.
const char* to_string(NetworkKind kind);

// "Wan transformer", "Wan VAE", …: the words for people.
const char* title_of(NetworkKind kind);

enum class KeyLayout : uint8_t {
  kOriginal,
  kRenamed,  // diffusers (transformer, VAE) or Hugging Face (text encoder); TAEHV has no renamed form
};

// "original names", "diffusers names" or "Hugging Face names".
const char* layout_title(NetworkKind kind, KeyLayout layout);

struct DetectedKeys {
  NetworkKind kind;
  KeyLayout layout;
};

// Which network a set of keys belongs to, and under which names. A part of a network (one shard) is enough;
// at least half of the keys must fit. Nothing when they fit no network.
std::optional<DetectedKeys> detect_keys(std::span<const std::string_view> keys);

// The original name of a key in the given layout; nothing when such a network has no key of that form. Any
// number of layers: whether a layer exists is found out by the check against the network's own parameter
// list.
std::optional<std::string> to_original(NetworkKind kind, KeyLayout layout, std::string_view key);

// The inverse: the name of an original key in a layout.
std::optional<std::string> from_original(NetworkKind kind, KeyLayout layout, std::string_view key);

// transformers may store the embedding table a second time, under this name.
inline constexpr std::string_view kEmbeddingAlias = "encoder.embed_tokens.weight";

}  // namespace sdv2
