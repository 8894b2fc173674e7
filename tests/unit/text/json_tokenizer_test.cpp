// SPDX-License-Identifier: LGPL-2.1-or-later
// tokenizer.json: each kind of step, the template, and what is refused. Expected ids agree with Hugging
// Face's tokenizers 0.23.3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "charsmap_fixture.h"
#include "text/tokenizer.h"

namespace sdv2 {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kAll = 1000;

// ▁ is U+2581.
json small_tokenizer() {
  return json::parse(R"({
    "added_tokens": [
      {"id": 0, "content": "<pad>", "special": true, "normalized": false},
      {"id": 1, "content": "</s>", "special": true, "normalized": false},
      {"id": 100, "content": "<x>", "special": true, "normalized": false},
      {"id": 101, "content": "<x>>", "special": true, "normalized": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
      "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
    "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": [
      ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["▁", -2], ["a", -3], ["b", -3], ["▁a", -4], ["ab", -7], ["x", -3],
      ["<0xC3>", -9], ["<0xA9>", -9], ["▁▁", -3], ["y", -3], ["z", -3], ["A", -3], ["E", -3]]}
  })");
}

std::unique_ptr<Tokenizer> open(const json& file) {
  auto tokenizer = Tokenizer::parse(file.dump(), "t.json");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return *std::move(tokenizer);
}

std::string error_of(const json& file) {
  const auto tokenizer = Tokenizer::parse(file.dump(), "t.json");
  return tokenizer.ok() ? "no error" : tokenizer.error().message;
}

std::vector<int32_t> encode(const json& file, std::string_view text) {
  return open(file)->encode(text, kAll);
}

// Without template, so that only the ids of the text remain.
json with(const char* step, const json& value) {
  json file = small_tokenizer();
  file["post_processor"] = nullptr;
  file[step] = value;
  return file;
}

TEST(JsonTokenizer, EncodesWordsAndAppendsTheTemplate) {
  EXPECT_THAT(encode(small_tokenizer(), "a b"), ElementsAre(6, 3, 5, 1));
  EXPECT_THAT(encode(small_tokenizer(), ""), ElementsAre(1));
  EXPECT_THAT(encode(small_tokenizer(), "  a"), ElementsAre(3, 6, 1));  // words never join, so no "▁▁"
}

TEST(JsonTokenizer, CutsTheTextAndNotTheTemplate) {
  const auto tokenizer = open(small_tokenizer());
  EXPECT_THAT(tokenizer->encode("a a a a", 3), ElementsAre(6, 6, 1));
  EXPECT_THAT(tokenizer->encode("a", 2), ElementsAre(6, 1));
  EXPECT_THAT(tokenizer->encode("a", 1), ElementsAre(1));
  EXPECT_THAT(tokenizer->encode("a", 0), IsEmpty());
}

TEST(JsonTokenizer, TemplateMayBeginWithTokens) {
  json file = small_tokenizer();
  auto& processor = file["post_processor"];
  processor["single"].insert(processor["single"].begin(),
                             json{{"SpecialToken", {{"id", "<b>"}, {"type_id", 0}}}});
  processor["special_tokens"]["<b>"] = {{"id", "<b>"}, {"ids", {7, 8}}, {"tokens", {"", ""}}};
  EXPECT_THAT(encode(file, "a"), ElementsAre(7, 8, 6, 1));
  EXPECT_THAT(open(file)->encode("a a a", 5), ElementsAre(7, 8, 6, 6, 1));
}

TEST(JsonTokenizer, UnknownCharactersFuse) {
  EXPECT_THAT(encode(small_tokenizer(),
                     "a\xe2\x98\x83\xe2\x98\x83"
                     "b\xe2\x98\x83"),
              ElementsAre(6, 2, 5, 2, 1));
  EXPECT_THAT(encode(small_tokenizer(), "\xff\xfe"), ElementsAre(3, 2, 1));  // malformed bytes are U+FFFD
}

TEST(JsonTokenizer, FallsBackOnBytesWhenAllAreThere) {
  json file = small_tokenizer();
  file["model"]["byte_fallback"] = true;
  EXPECT_THAT(encode(file, "a\xc3\xa9"), ElementsAre(6, 9, 10, 1));
  EXPECT_THAT(encode(file, "a\xc3\xa8"), ElementsAre(6, 2, 1));
}

TEST(JsonTokenizer, AddedTokensComeFirstAndLongestWins) {
  EXPECT_THAT(encode(small_tokenizer(), "a<x>b</s><x>><x>"), ElementsAre(6, 100, 3, 5, 1, 101, 100, 1));
}

TEST(JsonTokenizer, AddedTokensHonourTheirFlags) {
  json file = small_tokenizer();
  file["added_tokens"] = {
      {{"id", 50}, {"content", "a"}, {"special", true}, {"single_word", true}},
      {{"id", 51}, {"content", "x"}, {"special", true}, {"lstrip", true}, {"rstrip", true}},
      {{"id", 52}, {"content", "\xc3\xa9"}, {"special", false}, {"normalized", true}}};
  file["normalizer"] = {{"type", "NFC"}};
  file["post_processor"] = nullptr;
  EXPECT_THAT(encode(file, "a ab b,a"), ElementsAre(50, 6, 5, 3, 5, 2, 50));
  EXPECT_THAT(encode(file, "b  x  b"), ElementsAre(3, 5, 51, 3, 5));
  EXPECT_THAT(encode(file, "be\xcc\x81"), ElementsAre(3, 5, 52));
}

TEST(JsonTokenizer, PrecompiledMapsClustersByTheirShortestRule) {
  const auto precompiled = [](const std::string& base64) {
    return with("normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", base64}});
  };
  const auto base64 = [](const std::string& bytes) {
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    uint32_t bits = 0;
    int count = 0;
    for (const char byte : bytes) {
      bits = bits << 8 | static_cast<uint8_t>(byte);
      for (count += 8; count >= 6;) text += kDigits[bits >> (count -= 6) & 63];
    }
    if (count > 0) text += kDigits[bits << (6 - count) & 63];
    while (text.size() % 4 != 0) text += '=';
    return text;
  };
  const json file = precompiled(base64(small_charsmap()));
  EXPECT_THAT(encode(file, "ab"), ElementsAre(3, 8, 5));  // "x", not "yz": clusters are "a" and "b"
  EXPECT_THAT(encode(file,
                     "a\xcc\x81"
                     "b"),
              ElementsAre(3, 8, 5));  // "x" for the whole cluster
  EXPECT_THAT(error_of(precompiled("not base64!")),
              HasSubstr("normalizer: \"precompiled_charsmap\" is not base64"));
  EXPECT_THAT(error_of(precompiled("")), HasSubstr("is damaged"));
}

TEST(JsonTokenizer, ReplacesTextAndRuns) {
  const auto replace = [](const json& pattern, const char* content) {
    return with("normalizer", {{"type", "Replace"}, {"pattern", pattern}, {"content", content}});
  };
  EXPECT_THAT(encode(replace({{"String", "ab"}}, "x"), "aabab"), ElementsAre(6, 8, 8));
  EXPECT_THAT(encode(replace({{"Regex", " {2,}"}}, " "), "a   a a"), ElementsAre(6, 6, 6));
  EXPECT_THAT(encode(replace({{"Regex", " {2}"}}, " "), "a   a"), ElementsAre(6, 3, 6));
  EXPECT_THAT(encode(replace({{"Regex", "\\.{2,3}"}}, "x"), "a.....a"), ElementsAre(6, 8, 8, 4));
  EXPECT_THAT(encode(replace({{"Regex", "\\s+"}}, " "), "a \t\xe2\x80\x83 a"), ElementsAre(6, 6));
  EXPECT_THAT(encode(replace({{"Regex", "a"}}, ""), "ababa"), ElementsAre(3, 5, 5));
  for (const char* regex :
       {"", "ab", "[ab]+", "a*", "a?", "\\d", "a{0,1}", "a{3,2}", "a{,2}", "a{9999999}", "(", "\\"})
    EXPECT_THAT(error_of(replace({{"Regex", regex}}, " ")), HasSubstr("regular expression")) << regex;
  EXPECT_THAT(error_of(replace({{"String", ""}}, " ")), HasSubstr("must not be empty"));
}

TEST(JsonTokenizer, StripsAndNormalisesInOrder) {
  const auto strip = [](bool left, bool right) {
    return json{{"type", "Strip"}, {"strip_left", left}, {"strip_right", right}};
  };
  EXPECT_THAT(encode(with("normalizer", strip(false, true)), " a \t"), ElementsAre(6));
  EXPECT_THAT(encode(with("normalizer", strip(true, false)), "\t a "), ElementsAre(6, 3));
  const json nested = {
      {"type", "Sequence"},
      {"normalizers", {{{"type", "NFKC"}}, {{"type", "Sequence"}, {"normalizers", {strip(true, true)}}}}}};
  EXPECT_THAT(encode(with("normalizer", nested), "\xe3\x80\x80\xef\xbd\x81\xe3\x80\x80"), ElementsAre(6));
}

TEST(JsonTokenizer, MetaspaceVariants) {
  const auto metaspace = [](const json& more) {
    json step = {{"type", "Metaspace"}, {"replacement", "\xe2\x96\x81"}};
    step.update(more);
    return with("pre_tokenizer", step);
  };
  EXPECT_THAT(encode(metaspace(json::object()), "a<x>a"), ElementsAre(6, 100, 6));
  EXPECT_THAT(encode(metaspace({{"prepend_scheme", "first"}}), "a<x>a"), ElementsAre(6, 100, 4));
  EXPECT_THAT(encode(metaspace({{"prepend_scheme", "never"}}), "a<x>a"), ElementsAre(4, 100, 4));
  EXPECT_THAT(encode(metaspace({{"add_prefix_space", false}}), "a a"), ElementsAre(4, 6));
  EXPECT_THAT(encode(metaspace({{"split", false}}), "a  b"), ElementsAre(6, 11, 5));
  EXPECT_THAT(error_of(metaspace({{"prepend_scheme", "last"}})), HasSubstr("prepend_scheme"));
  EXPECT_THAT(error_of(metaspace({{"replacement", "ab"}})), HasSubstr("must be one character"));
}

TEST(JsonTokenizer, WhitespaceSplitBeforeMetaspace) {
  const json steps = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "WhitespaceSplit"}}, {{"type", "Metaspace"}, {"replacement", "\xe2\x96\x81"}}}}};
  EXPECT_THAT(encode(with("pre_tokenizer", steps), " a \t b "), ElementsAre(6, 3, 5));
  EXPECT_THAT(encode(with("pre_tokenizer", nullptr), "ab"), ElementsAre(4, 5));
}

TEST(JsonTokenizer, ErrorsNameTheFileAndThePlace) {
  const struct {
    const char* pointer;
    json value;
    const char* message;
  } cases[] = {
      {"/model", nullptr, "t.json: model: \"type\" must be a string"},
      {"/model/type", "BPE", "only unigram models can be used; this one is 'BPE'"},
      {"/model/vocab", 3, "\"vocab\" must be an array"},
      {"/model/vocab/4", "a", "\"vocab\" has an item, number 4,"},
      {"/model/vocab/4/1", "a", "\"vocab\" has an item, number 4,"},
      {"/model/unk_id", 99, "\"unk_id\" is not in the vocabulary"},
      {"/model/unk_id", -1, "\"unk_id\" must be a token id"},
      {"/model/unk_id", nullptr, "\"unk_id\" must be a token id"},
      {"/model/byte_fallback", 1, "\"byte_fallback\" must be true or false"},
      {"/added_tokens", 1, "\"added_tokens\" must be an array"},
      {"/added_tokens/1/id", 4294967296, "added_tokens[1]: \"id\" must be a token id"},
      {"/added_tokens/1/content", 1, "added_tokens[1]: \"content\" must be a string"},
      {"/added_tokens/1", 1, "added_tokens[1]: \"content\" must be a string"},
      {"/normalizer", {{"type", "Lowercase"}}, "the normalizer type 'Lowercase' cannot be used"},
      {"/normalizer", json::array(), "normalizer: \"type\" must be a string"},
      {"/pre_tokenizer/type", "BertPreTokenizer", "the pre-tokenizer type 'BertPreTokenizer' cannot be used"},
      {"/post_processor/type", "RobertaProcessing",
       "the post-processor type 'RobertaProcessing' cannot be used"},
      {"/post_processor/special_tokens", json::object(), "token '</s>': \"special_tokens\" does not have it"},
      {"/post_processor/special_tokens/~1s", nullptr, "no error"},  // not in the template
      {"/post_processor/single", json::array(), "leaves out the text"},
  };
  for (const auto& [pointer, value, message] : cases) {
    json file = small_tokenizer();
    file[json::json_pointer(pointer)] = value;
    EXPECT_THAT(error_of(file), HasSubstr(message)) << pointer;
  }
  const auto cut = Tokenizer::parse(R"({"model": )", "t.json");
  ASSERT_FALSE(cut.ok());
  EXPECT_THAT(cut.error().message, HasSubstr("t.json"));
  const auto missing = Tokenizer::open("/nonexistent/tokenizer.json");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace sdv2
