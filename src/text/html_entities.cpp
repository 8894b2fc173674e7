// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/html_entities.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

#include "text/unicode.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

struct Entity {
  std::string_view name;
  std::u32string_view text;
};

#include "text/html_entities.inc"

template <size_t size>
std::optional<std::u32string_view> find_entity(const Entity (&table)[size], std::string_view name) {
  const auto* const found = std::lower_bound(std::begin(table), std::end(table), name,
                                             [](const Entity& a, std::string_view b) { return a.name < b; });
  if (found == std::end(table) || found->name != name) return std::nullopt;
  return found->text;
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_hex_digit(char32_t c) { return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }

// A numeric reference at the start of `text` (which begins with "&#"): its code and its length with the
// semicolon, if any.
struct Number {
  uint32_t code = 0;  // 0x110000 for everything above
  size_t length = 0;  // 0: this is no numeric reference
};

Number read_number(std::u32string_view text) {
  size_t pos = 2;
  const bool hex = pos < text.size() && (text[pos] == 'x' || text[pos] == 'X');
  if (hex) ++pos;
  const size_t first = pos;
  Number number;
  for (; pos < text.size() && (hex ? is_hex_digit(text[pos]) : is_digit(text[pos])); ++pos) {
    const uint32_t digit = is_digit(text[pos]) ? text[pos] - '0' : (text[pos] | 0x20) - 'a' + 10;
    number.code = std::min<uint32_t>(number.code * (hex ? 16 : 10) + digit, 0x110000);
  }
  if (pos == first) return {};
  if (pos < text.size() && text[pos] == ';') ++pos;
  number.length = pos;
  return number;
}

// What HTML5 makes of a numeric reference: C1 codes mean Windows-1252, codes that are no characters mean
// nothing.
void append_number(std::u32string& out, uint32_t code) {
  if (code >= 0x80 && code <= 0x9F) {
    out.push_back(windows_1252(static_cast<char32_t>(code)));
    return;
  }
  if (code == 0 || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
    out.push_back(kReplacementCharacter);
    return;
  }
  const bool control =
      (code < 0x20 && code != '\t' && code != '\n' && code != '\f' && code != '\r') || code == 0x7F;
  const bool non_character = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
  if (!control && !non_character) out.push_back(static_cast<char32_t>(code));
}

// A named reference (`name` without '&', perhaps with its semicolon), or its longest known beginning.
void append_name(std::u32string& out, std::u32string_view name) {
  // Names of the table are ASCII; another character ends what can be known.
  std::string ascii;
  for (const char32_t c : name) {
    if (c >= 0x80) break;
    ascii.push_back(static_cast<char>(c));
  }
  for (size_t length = ascii.size(); length >= 2; --length) {
    if (const auto text = find_entity(kHtml5, std::string_view(ascii).substr(0, length))) {
      out.append(*text).append(name.substr(length));
      return;
    }
  }
  out.append(U"&").append(name);
}

// Length of the name after '&' in `text` (which begins after it): up to 32 characters that may be part of
// one, and a semicolon.
size_t name_length(std::u32string_view text) {
  constexpr std::u32string_view kEnd = U"\t\n\f <&#;";
  size_t length = 0;
  while (length < 32 && length < text.size() && kEnd.find(text[length]) == kEnd.npos) ++length;
  if (length > 0 && length < text.size() && text[length] == ';') ++length;
  return length;
}

// One reference of the strict kind at the start of `text`, which begins with '&': appends its text and
// returns its length, or 0 when there is none.
size_t unescape_one_strict(std::u32string& out, std::u32string_view text) {
  constexpr size_t kMaxName = 24;
  const bool numeric = text.size() > 1 && text[1] == '#';
  const size_t first = numeric ? 2 : 1;
  size_t end = first;
  while (end < text.size() && end - first < kMaxName && (is_digit(text[end]) || is_letter(text[end]))) ++end;
  if (end == first || end >= text.size() || text[end] != ';') return 0;
  const size_t length = end + 1;
  if (numeric) {
    const Number number = read_number(text);
    // ftfy takes a semicolon in the result for a reference that was decoded only in part, "&#59;" included.
    if (number.length != length || number.code == ';') return 0;
    append_number(out, number.code);
    return length;
  }
  const std::string name(text.begin() + 1, text.begin() + static_cast<ptrdiff_t>(length));
  auto decoded = find_entity(kHtml5, name);
  if (!decoded) decoded = find_entity(kUpperCase, name);
  if (!decoded) return 0;
  out.append(*decoded);
  return length;
}

// One reference of the HTML5 kind.
size_t unescape_one(std::u32string& out, std::u32string_view text) {
  if (text.size() > 1 && text[1] == '#') {
    const Number number = read_number(text);
    if (number.length > 0) append_number(out, number.code);
    return number.length;
  }
  const size_t length = name_length(text.substr(1));
  if (length == 0) return 0;
  append_name(out, text.substr(1, length));
  return length + 1;
}

template <class UnescapeOne>
std::u32string unescape(std::u32string_view text, UnescapeOne unescape_one_at) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t start = std::min(text.find(U'&'), text.size());
    out.append(text.substr(0, start));
    text.remove_prefix(start);
    if (text.empty()) break;
    size_t length = unescape_one_at(out, text);
    if (length == 0) {
      out.push_back('&');
      length = 1;
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::u32string html_unescape(std::u32string_view text) { return unescape(text, unescape_one); }

std::u32string html_unescape_strict(std::u32string_view text) { return unescape(text, unescape_one_strict); }

}  // namespace sdv2
