// SPDX-License-Identifier: LGPL-2.1-or-later
// Bounds-checked reading of little-endian numbers from untrusted bytes.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

namespace sdv2 {

// The unsigned number whose lowest byte is bytes[offset], or nothing when it is not wholly inside.
template <std::unsigned_integral T>
std::optional<T> load_le(std::span<const uint8_t> bytes, uint64_t offset) {
  if (bytes.size() < sizeof(T) || offset > bytes.size() - sizeof(T)) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{bytes[offset + i]} << (8 * i);
  return static_cast<T>(value);
}

}  // namespace sdv2
