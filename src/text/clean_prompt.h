// SPDX-License-Identifier: LGPL-2.1-or-later
// Cleans a prompt the way the text encoder's training data was cleaned.
#pragma once

#include <string>
#include <string_view>

namespace sdv2 {

// fix_text, HTML references decoded twice, every run of whitespace one space, none at the ends. Takes any
// bytes: those that are not UTF-8 become U+FFFD one by one. Returns UTF-8. Any thread. Throws
// std::runtime_error only when ICU's data is missing.
std::string clean_prompt(std::string_view text);

}  // namespace sdv2
