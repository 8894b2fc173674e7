// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps that a tokenizer.json takes to normalise text before it is cut into words.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "text/charsmap.h"
#include "text/unicode.h"

namespace sdv2 {

// The character map, as Hugging Face's tokenizers apply it, which is not how sentencepiece does: a grapheme
// cluster of less than 6 bytes that begins with a rule becomes that rule's text as a whole, whatever follows
// in it; else each character by itself.
struct PrecompiledNormalizer {
  CharsMap map;
};

// Puts `content` for every occurrence of a literal text, or of a run of one character.
struct ReplaceNormalizer {
  struct Run {
    char32_t character = 0;
    bool any_white_space = false;  // instead of `character`
    size_t min = 1, max = 1;       // length of the run in characters, as many as there are
  };
  std::variant<std::string, Run> pattern;
  std::string content;
};

// Removes whitespace at the ends.
struct StripNormalizer {
  bool left = false;
  bool right = false;
};

struct UnicodeNormalizer {
  NormalForm form = NormalForm::kNfc;
};

using Normalizer = std::variant<PrecompiledNormalizer, ReplaceNormalizer, StripNormalizer, UnicodeNormalizer>;

// Reads the member "normalizer" of a tokenizer.json (null: no steps). Types that no tokenizer of this kind
// uses are kUnsupported.
Result<std::vector<Normalizer>> read_normalizers(const nlohmann::json& json);

// All steps, one after the other, on valid UTF-8.
std::string normalize(const std::vector<Normalizer>& steps, std::string_view text);

}  // namespace sdv2
