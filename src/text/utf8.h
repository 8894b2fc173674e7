// SPDX-License-Identifier: LGPL-2.1-or-later
// UTF-8 to code points and back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sdv2 {

constexpr char32_t kReplacementCharacter = 0xFFFD;

// Decodes UTF-8. Each byte that is not part of a well-formed sequence (stray, overlong, a surrogate, above
// U+10FFFF, cut off) becomes one U+FFFD, as sentencepiece does it.
std::u32string utf8_to_utf32(std::string_view utf8);

// Encodes code points; surrogates and values above U+10FFFF become U+FFFD.
std::string utf32_to_utf8(std::u32string_view text);

// The same text with malformed bytes replaced as above.
std::string valid_utf8(std::string_view utf8);

// One code point of a UTF-8 text.
struct DecodedChar {
  char32_t value = kReplacementCharacter;
  size_t length = 1;  // bytes
  bool valid = false;
};

// The first code point of a text that is not empty; an invalid one has length 1.
DecodedChar decode_char(std::string_view utf8);

}  // namespace sdv2
