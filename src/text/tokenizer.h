// SPDX-License-Identifier: LGPL-2.1-or-later
// Text to the token ids that the text encoder reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// Immutable, so any thread may encode.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Opens tokenizer.json (Hugging Face, unigram models) or spiece.model (sentencepiece, unigram models),
  // known by their contents. The file is not trusted. Errors name the file, the place in it and what to do.
  static Result<std::unique_ptr<Tokenizer>> open(const std::filesystem::path& path);
  // The same from the contents of a file; `where` begins the error messages.
  static Result<std::unique_ptr<Tokenizer>> parse(std::string_view contents, const std::string& where);

  // The ids of `text` (used as it is: clean_prompt comes before) with the end token </s>, at most `max_len`
  // of them: the text is cut, not the end token. No padding. Bytes that are not UTF-8 count as U+FFFD. Throws
  // std::runtime_error only when ICU's data is missing.
  virtual std::vector<int32_t> encode(std::string_view text, size_t max_len) const = 0;
};

}  // namespace sdv2
