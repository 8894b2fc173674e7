// SPDX-License-Identifier: LGPL-2.1-or-later
// tokenizer.json → JsonTokenizer.
#include <cmath>
#include <limits>

#include "base/quote.h"
#include "text/json_fields.h"
#include "text/json_tokenizer.h"

namespace sdv2 {
namespace {

using nlohmann::json;

constexpr double kUnknownPenalty = 10;

// The tokens whose flag "normalized" is as asked for.
Result<AddedTokens> read_added_tokens(const json& root, bool normalized,
                                      const std::vector<Normalizer>& normalizers) {
  std::vector<AddedToken> tokens;
  const json::array_t empty;
  const json::array_t* list = &empty;
  if (json_member(root, "added_tokens") != nullptr) {
    SDV2_TRY(list, json_array(root, "added_tokens", "the file"));
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const json& item = (*list)[i];
    const std::string where = "added_tokens[" + std::to_string(i) + "]";
    SDV2_TRY(const bool special, json_bool(item, "special", where, false));
    SDV2_TRY(const bool is_normalized, json_bool(item, "normalized", where, !special));
    AddedToken token;
    SDV2_TRY(token.content, json_string(item, "content", where));
    SDV2_TRY(token.id, json_id(item, "id", where));
    SDV2_TRY(token.single_word, json_bool(item, "single_word", where, false));
    SDV2_TRY(token.lstrip, json_bool(item, "lstrip", where, false));
    SDV2_TRY(token.rstrip, json_bool(item, "rstrip", where, false));
    if (is_normalized != normalized) continue;
    if (normalized) token.content = normalize(normalizers, token.content);
    tokens.push_back(std::move(token));
  }
  return AddedTokens(std::move(tokens));
}

Result<Unigram> read_unigram(const json& model) {
  SDV2_TRY(const std::string type, json_string(model, "type", "model"));
  if (type != "Unigram")
    return Error{ErrorCode::kUnsupported, "only unigram models can be used; this one is " + quote(type)};
  SDV2_TRY(const auto* const vocab, json_array(model, "vocab", "model"));
  SDV2_TRY(const int32_t unknown_id, json_id(model, "unk_id", "model"));
  if (static_cast<size_t>(unknown_id) >= vocab->size())
    return json_error("model", "unk_id", "is not in the vocabulary");
  if (vocab->size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    return json_error("model", "vocab", "is too long");
  std::vector<PieceTrie::Entry> pieces;
  std::vector<double> scores;
  pieces.reserve(vocab->size());
  scores.reserve(vocab->size());
  double lowest = std::numeric_limits<double>::infinity();
  for (const json& item : *vocab) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number() ||
        !std::isfinite(item[1].get<double>()))
      return json_error(
          "model", "vocab",
          "has an item, number " + std::to_string(pieces.size()) + ", that is not a piece and its score");
    pieces.push_back({item[0].get<std::string>(), static_cast<int32_t>(pieces.size())});
    scores.push_back(item[1].get<double>());
    lowest = std::min(lowest, scores.back());
  }
  return Unigram(PieceTrie(std::move(pieces)), std::move(scores), lowest - kUnknownPenalty, unknown_id,
                 false);
}

// The ids of one special token of the template.
Result<void> append_special(const json& processor, const std::string& name, std::vector<int32_t>& ids) {
  const std::string where = "post_processor, token " + quote(name);
  const json* const tokens = json_member(processor, "special_tokens");
  const json* const token = tokens != nullptr ? json_member(*tokens, name.c_str()) : nullptr;
  if (token == nullptr) return json_error(where, "special_tokens", "does not have it");
  SDV2_TRY(const auto* const list, json_array(*token, "ids", where));
  for (const json& id : *list) {
    SDV2_TRY(const int32_t value, json_id(json{{"id", id}}, "id", where));
    ids.push_back(value);
  }
  return {};
}

// The template of a single text: special tokens around the sequence.
Result<void> read_template(const json& root, JsonTokenizer::Pipeline& pipeline) {
  const json* const processor = json_member(root, "post_processor");
  if (processor == nullptr) return {};
  SDV2_TRY(const std::string type, json_string(*processor, "type", "post_processor"));
  if (type != "TemplateProcessing")
    return Error{ErrorCode::kUnsupported, "the post-processor type " + quote(type) + " cannot be used"};
  SDV2_TRY(const auto* const items, json_array(*processor, "single", "post_processor"));
  bool after = false;
  for (const json& item : *items) {
    if (json_member(item, "Sequence") != nullptr) {
      after = true;
      continue;
    }
    const json* const special = json_member(item, "SpecialToken");
    if (special == nullptr) return json_error("post_processor", "single", "has an item of unknown kind");
    SDV2_TRY(const std::string name, json_string(*special, "id", "post_processor, SpecialToken"));
    SDV2_CHECK(append_special(*processor, name, after ? pipeline.after : pipeline.before));
  }
  if (!after) return json_error("post_processor", "single", "leaves out the text");
  return {};
}

}  // namespace

Result<std::unique_ptr<JsonTokenizer>> read_json_tokenizer(const json& root) {
  const json none;
  const auto part = [&](const char* key) -> const json& {
    const json* const member = json_member(root, key);
    return member != nullptr ? *member : none;
  };
  SDV2_TRY(std::vector<Normalizer> normalizers, read_normalizers(part("normalizer")));
  SDV2_TRY(std::vector<PreTokenizer> pre_tokenizers, read_pre_tokenizers(part("pre_tokenizer")));
  SDV2_TRY(Unigram unigram, read_unigram(part("model")));
  SDV2_TRY(const bool byte_fallback, json_bool(part("model"), "byte_fallback", "model", false));
  SDV2_TRY(AddedTokens added, read_added_tokens(root, false, normalizers));
  SDV2_TRY(AddedTokens normalized_added, read_added_tokens(root, true, normalizers));
  JsonTokenizer::Pipeline pipeline{std::move(added),
                                   std::move(normalizers),
                                   std::move(normalized_added),
                                   std::move(pre_tokenizers),
                                   std::move(unigram),
                                   byte_fallback,
                                   {},
                                   {}};
  SDV2_CHECK(read_template(root, pipeline));
  return std::make_unique<JsonTokenizer>(std::move(pipeline));
}

}  // namespace sdv2
