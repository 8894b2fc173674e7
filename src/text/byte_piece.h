// SPDX-License-Identifier: LGPL-2.1-or-later
// The pieces that stand for single bytes of characters that a vocabulary lacks.
#pragma once

#include <cstdint>
#include <string>

namespace sdv2 {

// "<0xE2>"
inline std::string byte_piece(uint8_t byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + '>';
}

}  // namespace sdv2
