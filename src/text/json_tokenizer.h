// SPDX-License-Identifier: LGPL-2.1-or-later
// Encodes with a tokenizer.json of Hugging Face's tokenizers library (unigram models).
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/normalizers.h"
#include "text/pre_tokenizers.h"
#include "text/tokenizer.h"
#include "text/unigram.h"

namespace sdv2 {

// Added tokens are cut out; what is between them is normalised, cut at the added tokens that are themselves
// normalised, cut into words, and each word segmented; a template adds the end token.
class JsonTokenizer : public Tokenizer {
 public:
  // What a file says.
  struct Pipeline {
    AddedTokens added;
    std::vector<Normalizer> normalizers;
    AddedTokens normalized_added;
    std::vector<PreTokenizer> pre_tokenizers;
    Unigram unigram;
    bool byte_fallback = false;
    std::vector<int32_t> before;  // the template: ids before and after those of the text
    std::vector<int32_t> after;
  };

  explicit JsonTokenizer(Pipeline pipeline) : pipeline_(std::move(pipeline)) {}

  std::vector<int32_t> encode(std::string_view text, size_t max_len) const override;

 private:
  void encode_text(std::string_view text, bool at_start, std::vector<int32_t>& ids) const;
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const;
  // A run of unknown characters: their bytes where that is possible, else one unknown token.
  void encode_unknown(std::string_view run, std::vector<int32_t>& ids) const;

  Pipeline pipeline_;
};

// Reads a parsed tokenizer.json, which is not trusted. Errors name the place in it, not the file.
Result<std::unique_ptr<JsonTokenizer>> read_json_tokenizer(const nlohmann::json& root);

}  // namespace sdv2
