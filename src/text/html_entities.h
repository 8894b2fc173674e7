// SPDX-License-Identifier: LGPL-2.1-or-later
// HTML character references ("&amp;", "&#233;") to text, with the rules of the two Python functions that
// clean prompts.
#pragma once

#include <string>
#include <string_view>

namespace sdv2 {

// Python's html.unescape, which is the HTML5 rule: decodes numeric references with or without semicolon, and
// of a name that is not known the longest known beginning ("&ampx" → "&x"). Unknown references stay.
std::u32string html_unescape(std::u32string_view text);

// ftfy's unescape_html: only references that end in a semicolon and decode as a whole, and upper-case names
// ("&EACUTE;").
std::u32string html_unescape_strict(std::u32string_view text);

}  // namespace sdv2
