// SPDX-License-Identifier: LGPL-2.1-or-later
// The character map that sentencepiece compiles its normalisation rules into ("precompiled_charsmap").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// Rules "these bytes become that text". Format: u32 size of the trie in bytes, the trie (a Darts double array
// of u32 units), then the replacements, each ended by a zero byte. All little-endian. Immutable, so any
// thread may search.
class CharsMap {
 public:
  // Parses a map that is not trusted. Nothing in it can lead a search outside of it.
  static Result<CharsMap> parse(std::string_view blob);

  struct Match {
    size_t length = 0;             // bytes of the text that the rule takes
    std::string_view replacement;  // lives as long as the map
  };
  // The shortest and the longest rule that matches the start of `text`.
  std::optional<Match> shortest(std::string_view text) const { return search(text, false); }
  std::optional<Match> longest(std::string_view text) const { return search(text, true); }

 private:
  std::optional<Match> search(std::string_view text, bool longest) const;
  std::optional<std::string_view> replacement_at(uint32_t offset) const;

  std::vector<uint32_t> units_;
  std::string replacements_;  // ends with a zero byte
};

}  // namespace sdv2
