// SPDX-License-Identifier: LGPL-2.1-or-later
// Tokens that are found in a text before anything else is done with it ("</s>", "<extra_id_0>").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/piece_trie.h"

namespace sdv2 {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false;  // only where no word character is beside it
  bool lstrip = false;       // takes the whitespace before it
  bool rstrip = false;       // takes the whitespace after it
};

// Immutable, so any thread may split.
class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens);

  struct Span {
    std::string_view text;
    std::optional<int32_t> id;  // of the token that the span is; none for text
  };
  // Cuts valid UTF-8 at the tokens, of those that start at the same place the longest. Spans are in order and
  // not empty.
  std::vector<Span> split(std::string_view text) const;

 private:
  std::vector<AddedToken> tokens_;
  PieceTrie trie_;  // values are indices of tokens_
};

}  // namespace sdv2
