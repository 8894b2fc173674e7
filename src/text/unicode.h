// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of Unicode that need tables: normalisation, character classes, grapheme clusters. A thin layer
// over ICU.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sdv2 {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

// Normalises valid UTF-8. Throws std::runtime_error when ICU's data cannot be loaded (a broken installation).
std::string normalize_unicode(std::string_view utf8, NormalForm form);

// Property White_Space (what Rust calls whitespace).
bool is_white_space(char32_t c);
// What Python calls whitespace: White_Space and the separators U+001C…1F.
bool is_python_space(char32_t c);
// General category Nd.
bool is_decimal_digit(char32_t c);
// What regular expressions call a word character: letters, marks, decimal digits, connectors and joiners.
bool is_word_char(char32_t c);

// What the byte of a C1 control (U+0080…9F) means in Windows-1252; the five bytes that mean nothing there
// stay.
char32_t windows_1252(char32_t c1);

// Ends (byte offsets) of the extended grapheme clusters of valid UTF-8. Throws like normalize_unicode.
std::vector<size_t> grapheme_ends(std::string_view utf8);

}  // namespace sdv2
