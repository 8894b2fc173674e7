// SPDX-License-Identifier: LGPL-2.1-or-later
// Text that comes from untrusted files, made fit for messages and names.
#pragma once

#include <string>
#include <string_view>

namespace sdv2 {

// The text in single quotes, for an error message: printable ASCII as it is, any other byte as \xNN, and at
// most 120 bytes of it (then "..."), so that a file cannot put control sequences or megabytes into a log.
std::string quote(std::string_view text);

// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace sdv2
