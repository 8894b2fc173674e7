// SPDX-License-Identifier: LGPL-2.1-or-later
// The unigram language model of sentencepiece: the segmentation of a text into pieces with the highest total
// score.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/piece_trie.h"

namespace sdv2 {

// Immutable, so any thread may use it.
class Unigram {
 public:
  // `scores[id]` for every id of `pieces`; `unknown_score` is that of one character that no piece covers.
  // `single_precision`: path scores are rounded to float32, as the sentencepiece library keeps them; a
  // tokenizer.json is evaluated in double. It decides between segmentations of equal score.
  Unigram(PieceTrie pieces, std::vector<double> scores, double unknown_score, int32_t unknown_id,
          bool single_precision);

  struct Segment {
    std::string_view text;  // a part of the text, never empty
    int32_t id = 0;         // unknown_id() for an unknown character
  };
  // The best segmentation of any bytes, in order. Unknown characters are segments of their own.
  std::vector<Segment> segment(std::string_view text) const;

  const PieceTrie& pieces() const { return pieces_; }
  int32_t unknown_id() const { return unknown_id_; }

 private:
  PieceTrie pieces_;
  std::vector<double> scores_;
  double unknown_score_;
  int32_t unknown_id_;
  bool single_precision_;
};

}  // namespace sdv2
