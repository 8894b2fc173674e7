// SPDX-License-Identifier: LGPL-2.1-or-later
// The sizes of a Wan 2.1 transformer (DiT), and how they are read from a checkpoint's config.json.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace sdv2 {

constexpr int64_t kHeadDim = 128;  // of every Wan transformer
constexpr int64_t kPatch = 2;      // a token is a patch of 1×2×2 latent pixels

// The defaults are those of Wan 2.1 T2V 1.3B.
struct DitConfig {
  int64_t dim = 1536;  // width of the residual stream = num_heads · 128
  int64_t ffn_dim = 8960;
  int64_t num_heads = 12;
  int64_t num_layers = 30;
  int64_t freq_dim = 256;  // of the sinusoid of the timestep: half cosines, half sines
  int64_t text_dim = 4096;
  int64_t text_len = 512;  // rows of a prompt's embedding; all are attended, padding included
  int64_t in_dim = 16;     // latent channels
  int64_t out_dim = 16;
  double eps = 1e-6;  // of all norms

  static DitConfig wan_1_3b() { return {}; }
  static DitConfig wan_14b() { return {.dim = 5120, .ffn_dim = 13824, .num_heads = 40, .num_layers = 40}; }

  int64_t patch_in() const { return in_dim * kPatch * kPatch; }
  int64_t patch_out() const { return out_dim * kPatch * kPatch; }

  bool operator==(const DitConfig&) const = default;
};

// Reads a config.json of the original layout ("dim", "num_heads", …) or of diffusers ("num_attention_heads",
// …); fields that are not there keep their defaults. `where` (the file's name) goes into messages. Errors:
// kCorrupt for fields of a wrong type or range, kUnsupported for a transformer of another kind (image to
// video, another patch or head size).
Result<DitConfig> parse_dit_config(const nlohmann::json& config, const std::string& where);

}  // namespace sdv2
