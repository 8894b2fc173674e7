// SPDX-License-Identifier: LGPL-2.1-or-later
// FNV-1a, 64 bit: the hash by which the golden data name tensors and check bytes. Not for untrusted hash
// tables.
#pragma once

#include <cstdint>
#include <string_view>

namespace sdv2 {

// http://www.isthe.com/chongo/tech/comp/fnv/
constexpr uint64_t fnv1a64(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace sdv2
