// SPDX-License-Identifier: LGPL-2.1-or-later
// ftfy's fix_text: undoes common damage in text (HTML references, ligatures, curly quotes, control characters
// …).
#pragma once

#include <string>
#include <string_view>

namespace sdv2 {

// fix_text of ftfy 6.3.1 with its defaults, without the repair of text that was decoded with a wrong encoding
// (mojibake). That step is a large heuristic which never touches ASCII; such text stays as it is. `text`
// holds no surrogates.
std::u32string fix_text(std::u32string_view text);

}  // namespace sdv2
