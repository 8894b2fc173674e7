// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/pre_tokenizers.h"

#include "base/quote.h"
#include "text/json_fields.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

void run_step(const WhitespaceSplit&, const Word& word, std::vector<Word>& out) {
  const std::string_view text = word.text;
  size_t begin = 0;
  for (size_t pos = 0; pos < text.size();) {
    const DecodedChar c = decode_char(text.substr(pos));
    if (is_white_space(c.value)) {
      out.push_back({std::string(text.substr(begin, pos - begin)), word.at_start && begin == 0});
      begin = pos + c.length;
    }
    pos += c.length;
  }
  out.push_back({std::string(text.substr(begin)), word.at_start && begin == 0});
}

void run_step(const Metaspace& step, const Word& word, std::vector<Word>& out) {
  std::string text;
  for (const char c : word.text) c == ' ' ? text += step.replacement : text += c;
  const bool wanted = step.prepend == Metaspace::Prepend::kAlways ||
                      (step.prepend == Metaspace::Prepend::kFirst && word.at_start);
  if (wanted && !text.starts_with(step.replacement)) text.insert(0, step.replacement);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end =
        step.split ? std::min(text.find(step.replacement, begin + 1), text.size()) : text.size();
    out.push_back({text.substr(begin, end - begin), word.at_start && begin == 0});
    begin = end;
  }
}

Result<PreTokenizer> read_metaspace(const nlohmann::json& json, const std::string& where) {
  Metaspace step;
  SDV2_TRY(step.replacement, json_string(json, "replacement", where));
  const DecodedChar c = step.replacement.empty() ? DecodedChar{} : decode_char(step.replacement);
  if (!c.valid || c.length != step.replacement.size())
    return json_error(where, "replacement", "must be one character");
  if (json_member(json, "prepend_scheme") != nullptr) {
    SDV2_TRY(const std::string scheme, json_string(json, "prepend_scheme", where));
    if (scheme == "first")
      step.prepend = Metaspace::Prepend::kFirst;
    else if (scheme == "never")
      step.prepend = Metaspace::Prepend::kNever;
    else if (scheme != "always")
      return json_error(where, "prepend_scheme", "must be \"always\", \"first\" or \"never\"");
  } else {  // files of before 2024
    SDV2_TRY(const bool prefix, json_bool(json, "add_prefix_space", where, true));
    if (!prefix) step.prepend = Metaspace::Prepend::kNever;
  }
  SDV2_TRY(step.split, json_bool(json, "split", where, true));
  return PreTokenizer(std::move(step));
}

Result<void> read_into(const nlohmann::json& json, const std::string& where,
                       std::vector<PreTokenizer>& steps) {
  SDV2_TRY(const std::string type, json_string(json, "type", where));
  if (type == "Sequence") {
    SDV2_TRY(const auto* const parts, json_array(json, "pretokenizers", where));
    for (size_t i = 0; i < parts->size(); ++i)
      SDV2_CHECK(read_into((*parts)[i], where + "[" + std::to_string(i) + "]", steps));
  } else if (type == "Metaspace") {
    SDV2_TRY(PreTokenizer step, read_metaspace(json, where));
    steps.push_back(std::move(step));
  } else if (type == "WhitespaceSplit") {
    steps.emplace_back(WhitespaceSplit{});
  } else {
    return Error{ErrorCode::kUnsupported,
                 where + ": the pre-tokenizer type " + quote(type) + " cannot be used"};
  }
  return {};
}

}  // namespace

Result<std::vector<PreTokenizer>> read_pre_tokenizers(const nlohmann::json& json) {
  std::vector<PreTokenizer> steps;
  if (!json.is_null()) SDV2_CHECK(read_into(json, "pre_tokenizer", steps));
  return steps;
}

std::vector<Word> pre_tokenize(const std::vector<PreTokenizer>& steps, Word text) {
  std::vector<Word> words = {std::move(text)};
  for (const auto& step : steps) {
    std::vector<Word> cut;
    for (const Word& word : words) std::visit([&](const auto& one) { run_step(one, word, cut); }, step);
    words = std::move(cut);
    std::erase_if(words, [](const Word& word) { return word.text.empty(); });
  }
  return words;
}

}  // namespace sdv2
