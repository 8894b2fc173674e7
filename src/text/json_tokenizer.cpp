// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/json_tokenizer.h"

#include <algorithm>

#include "text/byte_piece.h"
#include "text/utf8.h"

namespace sdv2 {

std::vector<int32_t> JsonTokenizer::encode(std::string_view text, size_t max_len) const {
  const std::string valid = valid_utf8(text);
  std::vector<int32_t> ids;
  for (const auto& span : pipeline_.added.split(valid)) {
    if (span.id)
      ids.push_back(*span.id);
    else
      encode_text(span.text, span.text.data() == valid.data(), ids);
  }
  const std::vector<int32_t>& before = pipeline_.before;
  const std::vector<int32_t>& after = pipeline_.after;
  const size_t added = before.size() + after.size();
  ids.resize(std::min(ids.size(), max_len > added ? max_len - added : 0));
  ids.insert(ids.begin(), before.begin(), before.end());
  ids.insert(ids.end(), after.begin(), after.end());
  ids.resize(std::min(ids.size(), max_len));
  return ids;
}

void JsonTokenizer::encode_text(std::string_view text, bool at_start, std::vector<int32_t>& ids) const {
  const std::string normalized = normalize(pipeline_.normalizers, text);
  for (const auto& span : pipeline_.normalized_added.split(normalized)) {
    if (span.id) {
      ids.push_back(*span.id);
      continue;
    }
    const bool first = at_start && span.text.data() == normalized.data();
    for (const auto& word : pre_tokenize(pipeline_.pre_tokenizers, {std::string(span.text), first}))
      encode_word(word.text, ids);
  }
}

void JsonTokenizer::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  const char* unknown_begin =
      nullptr;  // the run of unknown characters that ends at the current segment, if any
  const auto end_run = [&](const char* end) {
    if (unknown_begin != nullptr)
      encode_unknown({unknown_begin, static_cast<size_t>(end - unknown_begin)}, ids);
    unknown_begin = nullptr;
  };
  for (const auto& segment : pipeline_.unigram.segment(word)) {
    if (segment.id == pipeline_.unigram.unknown_id()) {
      if (unknown_begin == nullptr) unknown_begin = segment.text.data();
      continue;
    }
    end_run(segment.text.data());
    ids.push_back(segment.id);
  }
  end_run(word.data() + word.size());
}

void JsonTokenizer::encode_unknown(std::string_view run, std::vector<int32_t>& ids) const {
  const PieceTrie& pieces = pipeline_.unigram.pieces();
  if (const auto id = pieces.find(run)) {  // the unknown piece itself, written out
    ids.push_back(*id);
    return;
  }
  if (pipeline_.byte_fallback) {
    std::vector<int32_t> bytes;
    for (const char byte : run)
      if (const auto id = pieces.find(byte_piece(static_cast<uint8_t>(byte)))) bytes.push_back(*id);
    if (bytes.size() == run.size()) {
      ids.insert(ids.end(), bytes.begin(), bytes.end());
      return;
    }
  }
  ids.push_back(pipeline_.unigram.unknown_id());
}

}  // namespace sdv2
