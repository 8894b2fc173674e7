// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/fix_text.h"

#include <algorithm>

#include "text/html_entities.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

struct Ligature {
  char32_t ligature;
  std::u32string_view letters;
};

constexpr Ligature kLigatures[] = {
    {0x0132, U"IJ"},      {0x0133, U"ij"}, {0x0149, U"\u02bcn"}, {0x01C4, U"D\u017d"}, {0x01C5, U"D\u017e"},
    {0x01C6, U"d\u017e"}, {0x01C7, U"LJ"}, {0x01C8, U"Lj"},      {0x01C9, U"lj"},      {0x01CA, U"NJ"},
    {0x01CB, U"Nj"},      {0x01CC, U"nj"}, {0x01F1, U"DZ"},      {0x01F2, U"Dz"},      {0x01F3, U"dz"},
    {0xFB00, U"ff"},      {0xFB01, U"fi"}, {0xFB02, U"fl"},      {0xFB03, U"ffi"},     {0xFB04, U"ffl"},
    {0xFB05, U"\u017ft"}, {0xFB06, U"st"},
};

// The C1 controls U+0080…9F are what their bytes mean in Windows-1252.
void fix_c1_controls(std::u32string& text) {
  for (char32_t& c : text)
    if (c >= 0x80 && c <= 0x9F) c = windows_1252(c);
}

// Replaces each character by replace(c), an empty view meaning that it stays.
template <class Replace>
void translate(std::u32string& text, Replace replace) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    const std::u32string_view letters = replace(c);
    letters.empty() ? out.push_back(c) : static_cast<void>(out.append(letters));
  }
  text = std::move(out);
}

void fix_latin_ligatures(std::u32string& text) {
  translate(text, [](char32_t c) -> std::u32string_view {
    for (const auto& [ligature, letters] : kLigatures)
      if (c == ligature) return letters;
    return {};
  });
}

// Full-width and half-width forms become the ordinary ones, the ideographic space a space.
void fix_character_width(std::u32string& text) {
  std::u32string form;
  translate(text, [&](char32_t c) -> std::u32string_view {
    if (c == 0x3000) return U" ";
    if (c < 0xFF01 || c > 0xFFEF) return {};
    return form = utf8_to_utf32(normalize_unicode(utf32_to_utf8({&c, 1}), NormalForm::kNfkc));
  });
}

void uncurl_quotes(std::u32string& text) {
  for (char32_t& c : text) {
    if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B)) c = '\'';
    if (c >= 0x201C && c <= 0x201F) c = '"';
  }
}

void fix_line_breaks(std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out.push_back(c == '\r' || c == 0x2028 || c == 0x2029 ? U'\n' : c);
  }
  text = std::move(out);
}

// ANSI sequences: escape, '[', digits and semicolons, one ASCII letter.
void remove_terminal_escapes(std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x1B && i + 1 < text.size() && text[i + 1] == '[') {
      size_t end = i + 2;
      while (end < text.size() && (text[end] == ';' || is_decimal_digit(text[end]))) ++end;
      const char32_t letter = end < text.size() ? text[end] | 0x20 : 0;
      if (letter >= 'a' && letter <= 'z') {
        i = end;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  text = std::move(out);
}

bool is_unwanted_control(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

std::u32string fix_segment(std::u32string text, bool unescape) {
  for (;;) {
    std::u32string fixed = unescape ? html_unescape_strict(text) : text;
    fix_c1_controls(fixed);
    fix_latin_ligatures(fixed);
    fix_character_width(fixed);
    uncurl_quotes(fixed);
    fix_line_breaks(fixed);
    remove_terminal_escapes(fixed);
    std::erase_if(fixed, is_unwanted_control);
    fixed = utf8_to_utf32(normalize_unicode(utf32_to_utf8(fixed), NormalForm::kNfc));
    if (fixed == text) return fixed;
    text = std::move(fixed);
  }
}

}  // namespace

std::u32string fix_text(std::u32string_view text) {
  constexpr size_t kMaxSegment = 1000000;  // code points
  std::u32string out;
  bool unescape = true;
  while (!text.empty()) {
    const size_t line_end = text.find(U'\n');
    const size_t length =
        std::min({line_end == text.npos ? text.size() : line_end + 1, text.size(), kMaxSegment});
    const std::u32string_view segment = text.substr(0, length);
    // From the first line with a '<' on the text is taken for HTML, whose references are meant.
    if (segment.find(U'<') != segment.npos) unescape = false;
    out += fix_segment(std::u32string(segment), unescape);
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace sdv2
