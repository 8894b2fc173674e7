// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/spiece_tokenizer.h"

#include <algorithm>
#include <cfloat>
#include <optional>

#include "text/byte_piece.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81";  // U+2581
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr float kUnknownPenalty = 10;

using Type = SpieceModel::Type;

// The pieces that a segmentation may use. The others (control, unknown, bytes) are found by name only.
bool is_matched(Type type) { return type == Type::kNormal || type == Type::kUserDefined; }

std::optional<int32_t> find_piece(const SpieceModel& model, std::string_view text) {
  const auto found = std::find_if(model.pieces.begin(), model.pieces.end(),
                                  [&](const SpieceModel::Piece& piece) { return piece.text == text; });
  if (found == model.pieces.end()) return std::nullopt;
  return static_cast<int32_t>(found - model.pieces.begin());
}

std::optional<int32_t> find_unknown(const SpieceModel& model) {
  const auto found =
      std::find_if(model.pieces.begin(), model.pieces.end(),
                   [](const SpieceModel::Piece& piece) { return piece.type == Type::kUnknown; });
  if (found == model.pieces.end()) return std::nullopt;
  return static_cast<int32_t>(found - model.pieces.begin());
}

PieceTrie pieces_where(const SpieceModel& model, bool (*wanted)(Type)) {
  std::vector<PieceTrie::Entry> entries;
  for (size_t id = 0; id < model.pieces.size(); ++id)
    if (wanted(model.pieces[id].type)) entries.push_back({model.pieces[id].text, static_cast<int32_t>(id)});
  return PieceTrie(std::move(entries));
}

Unigram make_unigram(const SpieceModel& model, int32_t unknown_id) {
  float lowest = FLT_MAX;
  float highest = FLT_MIN;  // the library starts here, not below all scores: its bonus for user-defined
                            // pieces depends on it
  for (const auto& piece : model.pieces) {
    if (piece.type != Type::kNormal) continue;
    lowest = std::min(lowest, piece.score);
    highest = std::max(highest, piece.score);
  }
  std::vector<double> scores;
  scores.reserve(model.pieces.size());
  for (const auto& piece : model.pieces) {
    const double bonus = static_cast<float>(piece.text.size()) * highest - 0.1;
    scores.push_back(piece.type == Type::kUserDefined ? static_cast<float>(bonus) : piece.score);
  }
  return {pieces_where(model, is_matched), std::move(scores), static_cast<double>(lowest - kUnknownPenalty),
          unknown_id, true};
}

}  // namespace

Result<std::unique_ptr<SpieceTokenizer>> SpieceTokenizer::make(SpieceModel model) {
  const auto corrupt = [](const char* what) { return Error{ErrorCode::kCorrupt, what}; };
  const auto unknown_id = find_unknown(model);
  if (!unknown_id) return corrupt("the model has no piece for unknown characters");
  const auto end_id = find_piece(model, "</s>");
  if (!end_id) return corrupt("the model has no piece </s>, which must end every text");
  Unigram unigram = make_unigram(model, *unknown_id);
  PieceTrie user_defined = pieces_where(model, [](Type type) { return type == Type::kUserDefined; });
  std::unique_ptr<SpieceTokenizer> tokenizer(
      new SpieceTokenizer(std::move(model), std::move(unigram), std::move(user_defined), *end_id));
  if (tokenizer->model_.byte_fallback) {
    const PieceTrie bytes = pieces_where(tokenizer->model_, [](Type type) { return type == Type::kByte; });
    for (size_t byte = 0; byte < 256; ++byte) {
      const auto id = bytes.find(byte_piece(static_cast<uint8_t>(byte)));
      if (!id) return corrupt("the model falls back on bytes but does not have all 256 byte pieces");
      tokenizer->bytes_[byte] = *id;
    }
  }
  return tokenizer;
}

SpieceTokenizer::SpieceTokenizer(SpieceModel model, Unigram unigram, PieceTrie user_defined, int32_t end_id)
    : model_(std::move(model)),
      unigram_(std::move(unigram)),
      user_defined_(std::move(user_defined)),
      end_id_(end_id) {}

std::vector<int32_t> SpieceTokenizer::encode(std::string_view text, size_t max_len) const {
  if (max_len == 0) return {};
  const std::string normalized = normalize(text);
  std::vector<int32_t> ids;
  bool after_unknown = false;
  for (const auto& segment : unigram_.segment(normalized)) {
    const bool unknown = segment.id == unigram_.unknown_id();
    if (unknown && model_.byte_fallback) {
      for (const char byte : segment.text) ids.push_back(bytes_[static_cast<uint8_t>(byte)]);
    } else if (!unknown || !after_unknown) {  // a run of unknown characters is one token
      ids.push_back(segment.id);
    }
    after_unknown = unknown;
  }
  ids.resize(std::min(ids.size(), max_len - 1));
  ids.push_back(end_id_);
  return ids;
}

std::string SpieceTokenizer::normalize(std::string_view text) const {
  const bool collapse = model_.remove_extra_whitespaces;
  const std::string_view space = model_.escape_whitespaces ? kSpaceSymbol : " ";
  while (collapse && !text.empty()) {
    const Prefix prefix = normalize_prefix(text);
    if (prefix.normalized != " ") break;
    text.remove_prefix(prefix.length);
  }
  if (text.empty()) return {};

  std::string out;
  if (model_.add_dummy_prefix && !model_.whitespace_is_suffix) out += space;
  bool after_space = collapse;
  while (!text.empty()) {
    auto [normalized, length] = normalize_prefix(text);
    text.remove_prefix(length);
    while (after_space && normalized.starts_with(' ')) normalized.remove_prefix(1);
    if (normalized.empty()) continue;
    for (const char c : normalized) c == ' ' ? out += space : out += c;
    after_space = collapse && normalized.ends_with(' ');
  }
  while (collapse && out.ends_with(space)) out.resize(out.size() - space.size());
  if (model_.add_dummy_prefix && model_.whitespace_is_suffix) out += space;
  return out;
}

SpieceTokenizer::Prefix SpieceTokenizer::normalize_prefix(std::string_view text) const {
  size_t user_defined = 0;
  user_defined_.for_each_prefix(text, [&](size_t length, int32_t) { user_defined = length; });
  if (user_defined > 0) return {text.substr(0, user_defined), user_defined};
  if (model_.charsmap) {
    if (const auto match = model_.charsmap->longest(text)) return {match->replacement, match->length};
  }
  const DecodedChar c = decode_char(text);
  return {c.valid ? text.substr(0, c.length) : kReplacement, c.length};
}

}  // namespace sdv2
