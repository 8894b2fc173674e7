// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element needs to know of a loaded model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sdv2 {

struct ModelInfo {
  uint32_t latent_frames = 1;  // per chunk (P)
  unsigned width = 0;          // default processing size in pixels; 0: not known
  unsigned height = 0;
  std::optional<unsigned> steps;  // defaults of the settings
  std::optional<double> noise_scale;
  std::optional<double> adaptive_sink;
  std::vector<std::string> devices;  // that serve it and work, by worker

  // Frames of a stream's first chunk and of every later one.
  uint32_t first_chunk_frames(bool from_one_frame) const {
    return from_one_frame ? 1 : 1 + 4 * latent_frames;
  }
  uint32_t chunk_frames() const { return 4 * latent_frames; }
};

// Reads the JSON of sdv2_model_info, which may be that of a model with a device that has failed; what is
// missing or of another type keeps its default. Nothing when the text is no JSON object.
std::optional<ModelInfo> parse_model_info(const std::string& json);

}  // namespace sdv2
