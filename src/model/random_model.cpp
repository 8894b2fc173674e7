// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/random_model.h"

#include <charconv>
#include <vector>

namespace sdv2 {
namespace {

Error wrong(std::string_view model, const std::string& what) {
  return {ErrorCode::kInvalidArgument,
          std::string(model) + ": " + what +
              ". Write random:1.3b, random:14b or random:tiny, and behind it, if wanted, "
              ",key=value with dim, layers, ffn, text_dim, text_len, vae_dim, autoencoder or seed."};
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> items;
  for (size_t comma; (comma = text.find(',')) != std::string_view::npos; text.remove_prefix(comma + 1))
    items.push_back(text.substr(0, comma));
  items.push_back(text);
  return items;
}

// The model of a preset's name; nothing for another word.
std::optional<ModelDescription> preset(std::string_view name) {
  ModelDescription model;
  model.origin = ModelOrigin::kRandom;
  model.wan_vae.emplace();
  model.taehv.emplace();
  if (name == "1.3b") return model;
  if (name == "14b") {
    model.dit.spec = DitConfig::wan_14b();
    model.stream.num_steps = 1;
    return model;
  }
  if (name == "tiny") {
    model.dit.spec = {
        .dim = 256, .ffn_dim = 512, .num_heads = 2, .num_layers = 2, .text_dim = 64, .text_len = 32};
    model.wan_vae->spec.base_dim = 8;
    model.stream.width = model.stream.height = 64;
    return model;
  }
  return std::nullopt;
}

// Applies key=value. Returns what is wrong with it, or "".
std::string apply(ModelDescription& model, std::string_view key, std::string_view value) {
  if (key == "autoencoder") {
    if (value != "wan_vae" && value != "taehv") return "autoencoder must be wan_vae or taehv";
    model.encoder = model.decoder = value == "taehv" ? Autoencoder::kTaehv : Autoencoder::kWanVae;
    return "";
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool is_number = error == std::errc() && end == value.data() + value.size() && number >= 0;
  int64_t* const target = key == "dim"        ? &model.dit.spec.dim
                          : key == "layers"   ? &model.dit.spec.num_layers
                          : key == "ffn"      ? &model.dit.spec.ffn_dim
                          : key == "text_dim" ? &model.dit.spec.text_dim
                          : key == "text_len" ? &model.dit.spec.text_len
                          : key == "vae_dim"  ? &model.wan_vae->spec.base_dim
                                              : nullptr;
  if (target == nullptr && key != "seed") return "there is no key '" + std::string(key) + "'";
  if (!is_number) return std::string(key) + " must be a whole number";
  if (target == nullptr) {
    model.seed = static_cast<uint64_t>(number);
    return "";
  }
  *target = number;
  if (key == "dim") model.dit.spec.num_heads = number / kHeadDim;
  return "";
}

}  // namespace

Result<ModelDescription> parse_random_model(std::string_view text) {
  auto items = split(text.substr(kRandomPrefix.size()));
  const bool has_preset = items.front().find('=') == std::string_view::npos;
  auto model = preset(has_preset ? items.front() : "tiny");
  if (!model) return wrong(text, "there is no preset '" + std::string(items.front()) + "'");
  if (has_preset) items.erase(items.begin());
  for (const std::string_view item : items) {
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) return wrong(text, "'" + std::string(item) + "' is not key=value");
    const std::string fault = apply(*model, item.substr(0, equals), item.substr(equals + 1));
    if (!fault.empty()) return wrong(text, fault);
  }
  model->name = text;
  if (auto sound = validate(*model); !sound.ok()) return wrong(text, sound.error().message);
  return *std::move(model);
}

}  // namespace sdv2
