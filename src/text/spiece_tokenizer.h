// SPDX-License-Identifier: LGPL-2.1-or-later
// Encodes with a sentencepiece model.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "text/spiece_model.h"
#include "text/tokenizer.h"
#include "text/unigram.h"

namespace sdv2 {

// Gives the ids that the sentencepiece library gives (its default, deterministic encoding), and </s>.
class SpieceTokenizer : public Tokenizer {
 public:
  static Result<std::unique_ptr<SpieceTokenizer>> make(SpieceModel model);

  std::vector<int32_t> encode(std::string_view text, size_t max_len) const override;

 private:
  SpieceTokenizer(SpieceModel model, Unigram unigram, PieceTrie user_defined, int32_t end_id);

  // The text as the model has it: characters mapped, spaces collapsed and escaped, the dummy prefix added.
  std::string normalize(std::string_view text) const;
  // The start of `text` (not empty) normalised, and how many bytes of it that took.
  struct Prefix {
    std::string_view normalized;
    size_t length;
  };
  Prefix normalize_prefix(std::string_view text) const;

  SpieceModel model_;
  Unigram unigram_;
  PieceTrie user_defined_;            // these pieces are not normalised
  std::array<int32_t, 256> bytes_{};  // ids of the byte pieces, with byte fallback
  int32_t end_id_;
};

}  // namespace sdv2
