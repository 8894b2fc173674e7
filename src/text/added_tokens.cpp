// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

// Start of the last character of `text`, which is valid UTF-8 and not empty.
size_t last_char(std::string_view text) {
  size_t start = text.size() - 1;
  while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80) --start;
  return start;
}

bool ends_in_word(std::string_view text) {
  return !text.empty() && is_word_char(decode_char(text.substr(last_char(text))).value);
}

bool starts_with_word(std::string_view text) {
  return !text.empty() && is_word_char(decode_char(text).value);
}

// Where the whitespace that `text` ends with begins.
size_t trailing_space(std::string_view text) {
  while (!text.empty()) {
    const size_t start = last_char(text);
    if (!is_white_space(decode_char(text.substr(start)).value)) break;
    text = text.substr(0, start);
  }
  return text.size();
}

// Bytes of the whitespace that `text` begins with.
size_t leading_space(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    const DecodedChar c = decode_char(text.substr(length));
    if (!is_white_space(c.value)) break;
    length += c.length;
  }
  return length;
}

PieceTrie trie_of(const std::vector<AddedToken>& tokens) {
  std::vector<PieceTrie::Entry> entries;
  for (size_t i = 0; i < tokens.size(); ++i) entries.push_back({tokens[i].content, static_cast<int32_t>(i)});
  return PieceTrie(std::move(entries));
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), trie_(trie_of(tokens_)) {}

std::vector<AddedTokens::Span> AddedTokens::split(std::string_view text) const {
  std::vector<Span> spans;
  size_t done = 0;  // everything before is in spans
  const auto cut = [&](size_t begin, size_t end, std::optional<int32_t> id) {
    if (begin < end) spans.push_back({text.substr(begin, end - begin), id});
    done = std::max(done, end);
  };
  for (size_t pos = 0; pos < text.size();) {
    size_t length = 0;
    int32_t index = 0;
    trie_.for_each_prefix(text.substr(pos), [&](size_t match, int32_t value) {
      length = match;
      index = value;
    });
    if (length == 0) {
      ++pos;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<size_t>(index)];
    size_t begin = pos;
    size_t end = pos + length;
    pos = end;
    if (token.single_word && (ends_in_word(text.substr(0, begin)) || starts_with_word(text.substr(end))))
      continue;
    if (token.lstrip) begin = trailing_space(text.substr(0, begin));
    if (token.rstrip) end += leading_space(text.substr(end));
    cut(done, begin, std::nullopt);
    cut(std::max(begin, done), end, token.id);
  }
  cut(done, text.size(), std::nullopt);
  return spans;
}

}  // namespace sdv2
