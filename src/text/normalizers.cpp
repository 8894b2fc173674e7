// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/normalizers.h"

#include "base/quote.h"
#include "text/json_fields.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

std::string run_step(const PrecompiledNormalizer& step, std::string_view text) {
  constexpr size_t kMaxCluster = 6;  // bytes
  std::string out;
  size_t begin = 0;
  for (const size_t end : grapheme_ends(text)) {
    std::string_view cluster = text.substr(begin, end - begin);
    begin = end;
    if (cluster.size() < kMaxCluster) {
      if (const auto match = step.map.shortest(cluster)) {
        out += match->replacement;
        continue;
      }
    }
    while (!cluster.empty()) {
      const std::string_view c = cluster.substr(0, decode_char(cluster).length);
      const auto match = step.map.shortest(c);
      out += match ? match->replacement : c;
      cluster.remove_prefix(c.size());
    }
  }
  return out;
}

std::string replace_literal(std::string_view text, const std::string& pattern, const std::string& content) {
  std::string out;
  for (size_t begin = 0;;) {
    const size_t found = text.find(pattern, begin);
    out += text.substr(begin, found - begin);
    if (found == text.npos) return out;
    out += content;
    begin = found + pattern.size();
  }
}

std::string replace_runs(std::string_view text, const ReplaceNormalizer::Run& run,
                         const std::string& content) {
  std::string out;
  while (!text.empty()) {
    size_t count = 0;
    size_t length = 0;
    while (count < run.max && length < text.size()) {
      const DecodedChar c = decode_char(text.substr(length));
      if (run.any_white_space ? !is_white_space(c.value) : c.value != run.character) break;
      ++count;
      length += c.length;
    }
    if (count >= run.min) {
      out += content;
    } else {
      length = decode_char(text).length;
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string run_step(const ReplaceNormalizer& step, std::string_view text) {
  if (const auto* const literal = std::get_if<std::string>(&step.pattern))
    return replace_literal(text, *literal, step.content);
  return replace_runs(text, std::get<ReplaceNormalizer::Run>(step.pattern), step.content);
}

std::string run_step(const StripNormalizer& step, std::string_view text) {
  std::u32string chars = utf8_to_utf32(text);
  if (step.right)
    while (!chars.empty() && is_white_space(chars.back())) chars.pop_back();
  size_t first = 0;
  while (step.left && first < chars.size() && is_white_space(chars[first])) ++first;
  return utf32_to_utf8(std::u32string_view(chars).substr(first));
}

std::string run_step(const UnicodeNormalizer& step, std::string_view text) {
  return normalize_unicode(text, step.form);
}

Result<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == kAlphabet.npos) return Error{ErrorCode::kCorrupt, "is not base64"};
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count));
  }
  return out;
}

Result<Normalizer> read_precompiled(const nlohmann::json& json, const std::string& where) {
  constexpr const char* kKey = "precompiled_charsmap";
  SDV2_TRY(const std::string text, json_string(json, kKey, where));
  auto blob = decode_base64(text);
  if (!blob.ok()) return json_error(where, kKey, blob.error().message);
  auto map = CharsMap::parse(*blob);
  if (!map.ok()) return json_error(where, kKey, "is damaged: " + map.error().message);
  return Normalizer(PrecompiledNormalizer{*std::move(map)});
}

// "{2,}", "{3}", "{1,4}", "+" or nothing.
bool read_quantifier(std::u32string_view text, ReplaceNormalizer::Run& run) {
  constexpr size_t kUnlimited = std::u32string::npos;
  if (text.empty()) return true;
  if (text == U"+") {
    run.max = kUnlimited;
    return true;
  }
  if (!text.starts_with('{') || !text.ends_with('}')) return false;
  text = text.substr(1, text.size() - 2);
  const auto number = [](std::u32string_view digits, size_t& value) {
    value = 0;
    for (const char32_t c : digits) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    return !digits.empty() && digits.size() < 6;
  };
  const size_t comma = text.find(',');
  if (!number(text.substr(0, comma), run.min)) return false;
  run.max = comma == text.npos ? run.min : kUnlimited;
  if (comma < text.size() - 1 && !number(text.substr(comma + 1), run.max)) return false;
  return run.min > 0 && run.min <= run.max;
}

// The regular expressions that tokenizers of this kind use: one character (or \s), repeated. Others need an
// engine of their own.
Result<ReplaceNormalizer::Run> read_regex(const std::string& regex, const std::string& where) {
  constexpr std::u32string_view kMeta = U"\\.^$|()[]{}*+?";
  const std::u32string chars = utf8_to_utf32(regex);
  const std::u32string_view text = chars;
  ReplaceNormalizer::Run run;
  const bool escaped = text.size() > 1 && text[0] == '\\';
  const size_t atom = escaped ? 2 : 1;
  bool known = !text.empty();
  if (known) {
    run.character = text[atom - 1];
    run.any_white_space = escaped && run.character == 's';
    known = escaped == (kMeta.find(run.character) != kMeta.npos) || run.any_white_space;
  }
  if (known && read_quantifier(text.substr(atom), run)) return run;
  return Error{ErrorCode::kUnsupported,
               where + ": the regular expression " + quote(regex) +
                   " cannot be used; only one repeated character can, like \" {2,}\""};
}

Result<Normalizer> read_replace(const nlohmann::json& json, const std::string& where) {
  ReplaceNormalizer step;
  SDV2_TRY(step.content, json_string(json, "content", where));
  const nlohmann::json* const pattern = json_member(json, "pattern");
  if (pattern == nullptr) return json_error(where, "pattern", "is missing");
  if (json_member(*pattern, "Regex") != nullptr) {
    SDV2_TRY(const std::string regex, json_string(*pattern, "Regex", where));
    SDV2_TRY(step.pattern, read_regex(regex, where));
  } else {
    SDV2_TRY(std::string literal, json_string(*pattern, "String", where));
    if (literal.empty()) return json_error(where, "String", "must not be empty");
    step.pattern = std::move(literal);
  }
  return Normalizer(std::move(step));
}

Result<Normalizer> read_strip(const nlohmann::json& json, const std::string& where) {
  StripNormalizer step;
  SDV2_TRY(step.left, json_bool(json, "strip_left", where));
  SDV2_TRY(step.right, json_bool(json, "strip_right", where));
  return Normalizer(step);
}

Result<Normalizer> read_one(const nlohmann::json& json, const std::string& type, const std::string& where) {
  if (type == "Precompiled") return read_precompiled(json, where);
  if (type == "Replace") return read_replace(json, where);
  if (type == "Strip") return read_strip(json, where);
  if (type == "NFC") return Normalizer(UnicodeNormalizer{NormalForm::kNfc});
  if (type == "NFD") return Normalizer(UnicodeNormalizer{NormalForm::kNfd});
  if (type == "NFKC") return Normalizer(UnicodeNormalizer{NormalForm::kNfkc});
  if (type == "NFKD") return Normalizer(UnicodeNormalizer{NormalForm::kNfkd});
  return Error{ErrorCode::kUnsupported, where + ": the normalizer type " + quote(type) + " cannot be used"};
}

Result<void> read_into(const nlohmann::json& json, const std::string& where, std::vector<Normalizer>& steps) {
  SDV2_TRY(const std::string type, json_string(json, "type", where));
  if (type != "Sequence") {
    SDV2_TRY(Normalizer step, read_one(json, type, where));
    steps.push_back(std::move(step));
    return {};
  }
  SDV2_TRY(const auto* const parts, json_array(json, "normalizers", where));
  for (size_t i = 0; i < parts->size(); ++i)
    SDV2_CHECK(read_into((*parts)[i], where + "[" + std::to_string(i) + "]", steps));
  return {};
}

}  // namespace

Result<std::vector<Normalizer>> read_normalizers(const nlohmann::json& json) {
  std::vector<Normalizer> steps;
  if (!json.is_null()) SDV2_CHECK(read_into(json, "normalizer", steps));
  return steps;
}

std::string normalize(const std::vector<Normalizer>& steps, std::string_view text) {
  std::string out(text);
  for (const auto& step : steps) out = std::visit([&](const auto& one) { return run_step(one, out); }, step);
  return out;
}

}  // namespace sdv2
