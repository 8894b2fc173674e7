// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/unigram.h"

#include <algorithm>
#include <limits>

namespace sdv2 {
namespace {

// Bytes of the character that begins with `lead`. Malformed text gives some length between 1 and 4.
size_t char_length(char lead) {
  constexpr uint8_t kLengths[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return kLengths[static_cast<uint8_t>(lead) >> 4];
}

// The best way to end at some byte of the text.
struct Node {
  static constexpr size_t kUnreached = std::numeric_limits<size_t>::max();
  double score = 0;
  size_t start = kUnreached;  // where its last segment starts
  int32_t id = 0;
};

}  // namespace

Unigram::Unigram(PieceTrie pieces, std::vector<double> scores, double unknown_score, int32_t unknown_id,
                 bool single_precision)
    : pieces_(std::move(pieces)),
      scores_(std::move(scores)),
      unknown_score_(unknown_score),
      unknown_id_(unknown_id),
      single_precision_(single_precision) {}

std::vector<Unigram::Segment> Unigram::segment(std::string_view text) const {
  const auto rounded = [&](double score) {
    return single_precision_ ? static_cast<double>(static_cast<float>(score)) : score;
  };
  std::vector<Node> best(text.size() + 1);
  for (size_t start = 0; start < text.size();) {
    const size_t one_char = std::min(char_length(text[start]), text.size() - start);
    const auto offer = [&](size_t length, int32_t id, double score) {
      Node& node = best[start + length];
      const double path = rounded(score + best[start].score);
      if (node.start == Node::kUnreached || path > node.score) node = {path, start, id};
    };
    bool covered = false;
    pieces_.for_each_prefix(text.substr(start), [&](size_t length, int32_t id) {
      offer(length, id, scores_[static_cast<size_t>(id)]);
      covered |= length == one_char;
    });
    if (!covered) offer(one_char, unknown_id_, unknown_score_);
    start += one_char;
  }

  std::vector<Segment> segments;
  for (size_t end = text.size(); end > 0; end = best[end].start)
    segments.push_back({text.substr(best[end].start, end - best[end].start), best[end].id});
  std::reverse(segments.begin(), segments.end());
  return segments;
}

}  // namespace sdv2
