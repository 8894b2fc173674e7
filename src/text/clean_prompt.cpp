// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/clean_prompt.h"

#include "text/fix_text.h"
#include "text/html_entities.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

std::u32string collapse_whitespace(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  bool pending = false;
  for (const char32_t c : text) {
    if (is_python_space(c)) {
      pending = !out.empty();
      continue;
    }
    if (pending) out.push_back(' ');
    pending = false;
    out.push_back(c);
  }
  return out;
}

}  // namespace

std::string clean_prompt(std::string_view text) {
  const std::u32string fixed = fix_text(utf8_to_utf32(text));
  return utf32_to_utf8(collapse_whitespace(html_unescape(html_unescape(fixed))));
}

}  // namespace sdv2
