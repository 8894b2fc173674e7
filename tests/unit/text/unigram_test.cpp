// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts that both tokenizers are made of: piece sets, character maps, segmentation.
#include "text/unigram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "charsmap_fixture.h"
#include "text/charsmap.h"

namespace sdv2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<size_t, int32_t>> prefixes(const PieceTrie& trie, std::string_view text) {
  std::vector<std::pair<size_t, int32_t>> found;
  trie.for_each_prefix(text, [&](size_t length, int32_t value) { found.emplace_back(length, value); });
  return found;
}

TEST(PieceTrie, FindsThePrefixesOfAText) {
  const PieceTrie trie({{"ab", 1}, {"a", 0}, {"abcd", 2}, {"b", 3}, {"\xc3\xa9", 4}, {"", 5}});
  EXPECT_THAT(prefixes(trie, "abcde"), ElementsAre(Pair(1, 0), Pair(2, 1), Pair(4, 2)));
  EXPECT_THAT(prefixes(trie, "abc"), ElementsAre(Pair(1, 0), Pair(2, 1)));
  EXPECT_THAT(prefixes(trie, "\xc3\xa9"), ElementsAre(Pair(2, 4)));
  EXPECT_THAT(prefixes(trie, "c"), IsEmpty());
  EXPECT_THAT(prefixes(trie, ""), IsEmpty());
  EXPECT_THAT(prefixes(PieceTrie(), "a"), IsEmpty());
  EXPECT_EQ(trie.find("ab"), 1);
  EXPECT_EQ(trie.find("abc"), std::nullopt);
  EXPECT_EQ(trie.find(""), std::nullopt);
}

TEST(PieceTrie, KeepsTheLastOfEqualEntries) {
  const PieceTrie trie({{"a", 0}, {"b", 1}, {"a", 2}});
  EXPECT_EQ(trie.find("a"), 2);
  EXPECT_THAT(prefixes(trie, "a"), ElementsAre(Pair(1, 2)));
}

TEST(CharsMap, FindsTheShortestAndTheLongestRule) {
  const auto map = CharsMap::parse(small_charsmap());
  ASSERT_TRUE(map.ok()) << map.error().message;
  ASSERT_TRUE(map->shortest("abc"));
  EXPECT_EQ(map->shortest("abc")->length, 1u);
  EXPECT_EQ(map->shortest("abc")->replacement, "x");
  EXPECT_EQ(map->longest("abc")->length, 2u);
  EXPECT_EQ(map->longest("abc")->replacement, "yz");
  EXPECT_EQ(map->longest("a\xcc\x81")->replacement, "\xc3\xa1");
  EXPECT_EQ(map->longest("a\xcc\x82")->length, 1u);
  EXPECT_FALSE(map->longest("b"));
  EXPECT_FALSE(map->longest(""));
  EXPECT_FALSE(map->longest(std::string_view("\0a", 2)));
}

TEST(CharsMap, RejectsSizesThatDoNotFit) {
  const std::string good = small_charsmap();
  for (size_t size : {size_t{0}, size_t{3}, size_t{4}, size_t{4095}})
    EXPECT_FALSE(CharsMap::parse(good.substr(0, size)).ok());
  std::string odd = good;
  odd[0] = 3;
  EXPECT_FALSE(CharsMap::parse(odd).ok());
  EXPECT_FALSE(CharsMap::parse(good + std::string(2000, 'r')).ok());  // a replacement without an end in sight
}

TEST(CharsMap, StaysInsideADamagedTrie) {
  std::string blob = small_charsmap();
  for (size_t at = 4; at < 4 + 4096; at += 4) {  // every offset and value as large as it can be
    blob[at + 1] = static_cast<char>(0xFF);
    blob[at + 2] = static_cast<char>(0xFF);
    blob[at + 3] = static_cast<char>(0x7F);
  }
  const auto map = CharsMap::parse(blob);
  ASSERT_TRUE(map.ok());
  EXPECT_FALSE(map->longest("abc"));
  EXPECT_FALSE(map->shortest("a"));
}

Unigram make(const std::vector<std::pair<std::string, double>>& pieces, bool single_precision = false) {
  std::vector<PieceTrie::Entry> entries;
  std::vector<double> scores;
  for (const auto& [text, score] : pieces) {
    entries.push_back({text, static_cast<int32_t>(scores.size())});
    scores.push_back(score);
  }
  return Unigram(PieceTrie(std::move(entries)), std::move(scores), -20, 0, single_precision);
}

std::vector<std::pair<std::string, int32_t>> segments(const Unigram& model, std::string_view text) {
  std::vector<std::pair<std::string, int32_t>> found;
  for (const auto& segment : model.segment(text)) found.emplace_back(segment.text, segment.id);
  return found;
}

TEST(Unigram, TakesTheBestPath) {
  const Unigram model = make({{"<unk>", 0}, {"a", -3}, {"b", -3}, {"ab", -5}, {"bc", -1}, {"c", -3}});
  EXPECT_THAT(segments(model, "abc"), ElementsAre(Pair("a", 1), Pair("bc", 4)));
  EXPECT_THAT(segments(model, "ab"), ElementsAre(Pair("ab", 3)));
  EXPECT_THAT(segments(model, ""), IsEmpty());
}

TEST(Unigram, GivesUnknownCharactersOneByOne) {
  const Unigram model = make({{"<unk>", 0}, {"a", -3}});
  EXPECT_THAT(segments(model, "a\xe2\x98\x83\xe2\x98\x83"),
              ElementsAre(Pair("a", 1), Pair("\xe2\x98\x83", 0), Pair("\xe2\x98\x83", 0)));
}

TEST(Unigram, PrefersAKnownLongPieceOverUnknownCharacters) {
  const Unigram model = make({{"<unk>", 0}, {"xy", -30}});
  EXPECT_THAT(segments(model, "xyx"), ElementsAre(Pair("xy", 1), Pair("x", 0)));
}

TEST(Unigram, SurvivesMalformedText) {
  const Unigram model = make({{"<unk>", 0}, {"a", -3}, {"\x98", -1}, {"\xe2\x98", -1}});
  for (const char* text : {"\xff\xff\xff", "\xe2", "a\xe2\x98", "\xe2\x98\x83\x98", "\x98\x98"}) {
    std::string joined;
    for (const auto& [part, id] : segments(model, text)) joined += part;
    EXPECT_EQ(joined, text);
  }
}

TEST(Unigram, RoundsLikeTheLibraryOnRequest) {
  // In float32 the small difference between the two ways vanishes, and the one found first stays.
  const std::vector<std::pair<std::string, double>> pieces = {
      {"<unk>", 0}, {"a", -1e8}, {"b", -1.5}, {"c", -1.25}, {"bc", -2.5}};
  EXPECT_THAT(segments(make(pieces), "abc"), ElementsAre(Pair("a", 1), Pair("bc", 4)));
  EXPECT_THAT(segments(make(pieces, true), "abc"), ElementsAre(Pair("a", 1), Pair("bc", 4)));
  const std::vector<std::pair<std::string, double>> reversed = {
      {"<unk>", 0}, {"a", -1e8}, {"b", -1.5}, {"c", -1.0}, {"bc", -2.75}};
  EXPECT_THAT(segments(make(reversed), "abc"), ElementsAre(Pair("a", 1), Pair("b", 2), Pair("c", 3)));
  EXPECT_THAT(segments(make(reversed, true), "abc"), ElementsAre(Pair("a", 1), Pair("bc", 4)));
}

}  // namespace
}  // namespace sdv2
