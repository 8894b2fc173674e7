// SPDX-License-Identifier: LGPL-2.1-or-later
// The published files that sdv2 runs: where they come from, and how to recognise a complete copy.
#pragma once

#include <cstdint>
#include <string_view>

namespace sdv2 {

// Where to get files, for messages.
inline constexpr std::string_view kWanSource =
    "Hugging Face, repository Wan-AI/Wan2.1-T2V-1.3B (or Wan-AI/Wan2.1-T2V-14B)";
inline constexpr std::string_view kCausalSource =
    "Hugging Face, repository jerryfeng/StreamDiffusionV2, folder wan_causal_dmd_v2v (or "
    "wan_causal_dmd_v2v_14b)";
inline constexpr std::string_view kDiffusersSource =
    "Hugging Face, repository Wan-AI/Wan2.1-T2V-1.3B-Diffusers";

struct KnownFile {
  uint64_t size;             // bytes
  std::string_view sha256;   // lower-case hex; empty when it is not known
  std::string_view title;    // "Wan 2.1 VAE"
  std::string_view release;  // repository and path in it
};

// The published file of this size, nullptr for none. (A size of gigabytes to the byte is a good hint, the
// hash is the proof.)
const KnownFile* find_known_file(uint64_t size);

}  // namespace sdv2
