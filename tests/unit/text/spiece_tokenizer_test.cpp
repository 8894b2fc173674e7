// SPDX-License-Identifier: LGPL-2.1-or-later
// spiece.model: reading and encoding. Expected ids agree with sentencepiece 0.2.3.
#include "text/spiece_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <functional>

#include "charsmap_fixture.h"
#include "text/byte_piece.h"

namespace sdv2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Type = SpieceModel::Type;

// Writes protocol buffer messages.
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  return out + static_cast<char>(value);
}
std::string bytes_field(uint32_t number, const std::string& value) {
  return varint(number << 3 | 2) + varint(value.size()) + value;
}
std::string int_field(uint32_t number, uint64_t value) { return varint(number << 3) + varint(value); }
std::string float_field(uint32_t number, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  std::string out = varint(number << 3 | 5);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(bits >> 8 * i));
  return out;
}
std::string piece(const std::string& text, float score, Type type = Type::kNormal) {
  return bytes_field(
      1, bytes_field(1, text) + float_field(2, score) + int_field(3, static_cast<uint64_t>(type)));
}

const std::string kSpace = "\xe2\x96\x81";

// Ids: 0 pad, 1 </s>, 2 <unk>, 3 ▁, 4 a, 5 b, 6 ▁a, 7 x, 8 unused, 9 <U>, 10 yz
std::string pieces() {
  return piece("<pad>", 0, Type::kControl) + piece("</s>", 0, Type::kControl) +
         piece("<unk>", 0, Type::kUnknown) + piece(kSpace, -2) + piece("a", -3) + piece("b", -3) +
         piece(kSpace + "a", -4) + piece("x", -3) + piece("ab", -1, Type::kUnused) +
         piece("<U> ", 0, Type::kUserDefined) + piece("yz", -3);
}

std::string file(const std::string& trainer = "", const std::string& normalizer = "",
                 const std::string& more = "") {
  return pieces() + more + bytes_field(2, int_field(3, 1) + trainer) + bytes_field(3, normalizer);
}

std::string all_bytes() {
  std::string out;
  for (int byte = 0; byte < 256; ++byte) out += piece(byte_piece(static_cast<uint8_t>(byte)), 0, Type::kByte);
  return out;
}

std::vector<int32_t> encode(const std::string& contents, std::string_view text, size_t max_len = 1000) {
  const auto tokenizer = Tokenizer::parse(contents, "s.model");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return tokenizer.ok() ? (*tokenizer)->encode(text, max_len) : std::vector<int32_t>();
}

std::string error_of(const std::string& contents) {
  const auto tokenizer = Tokenizer::parse(contents, "s.model");
  return tokenizer.ok() ? "no error" : tokenizer.error().message;
}

TEST(SpieceTokenizer, EncodesAndAppendsTheEnd) {
  EXPECT_THAT(encode(file(), "a b"), ElementsAre(6, 3, 5, 1));
  EXPECT_THAT(encode(file(), ""), ElementsAre(1));
  EXPECT_THAT(encode(file(), "   "), ElementsAre(1));
  EXPECT_THAT(encode(file(), "  a   a "), ElementsAre(6, 6, 1));
  EXPECT_THAT(encode(file(), "ab"), ElementsAre(6, 5, 1));  // the unused piece "ab" is not taken
}

TEST(SpieceTokenizer, CutsTheText) {
  EXPECT_THAT(encode(file(), "a a a a", 3), ElementsAre(6, 6, 1));
  EXPECT_THAT(encode(file(), "a", 1), ElementsAre(1));
  EXPECT_THAT(encode(file(), "a", 0), IsEmpty());
}

TEST(SpieceTokenizer, UnknownCharactersFuseOrFallBackOnBytes) {
  EXPECT_THAT(encode(file(),
                     "a\xc3\xa9\xc3\xa9"
                     "b"),
              ElementsAre(6, 2, 5, 1));
  EXPECT_THAT(encode(file(int_field(35, 1), "", all_bytes()), "a\xc3\xa9"),
              ElementsAre(6, 11 + 0xC3, 11 + 0xA9, 1));
  EXPECT_THAT(encode(file(int_field(35, 1), "", all_bytes()), "\xff"),
              ElementsAre(3, 11 + 0xEF, 11 + 0xBF, 11 + 0xBD, 1));  // U+FFFD
}

TEST(SpieceTokenizer, ControlPiecesAreNotFoundInText) {
  EXPECT_THAT(encode(file(), "</s>"), ElementsAre(3, 2, 1));
}

TEST(SpieceTokenizer, MapsCharactersByTheLongestRule) {
  const std::string map = bytes_field(2, small_charsmap());
  EXPECT_THAT(encode(file("", map), "ab"), ElementsAre(3, 10, 1));
  EXPECT_THAT(encode(file("", map), "aab"), ElementsAre(3, 7, 10, 1));
}

TEST(SpieceTokenizer, UserDefinedPiecesAreTakenAsTheyAre) {
  const std::string map = bytes_field(2, small_charsmap());
  EXPECT_THAT(encode(file("", int_field(5, 0) + int_field(4, 0)), "a<U> b"), testing::Contains(9));
  EXPECT_THAT(encode(file("", map), "a<U> a"),
              ElementsAre(3, 7, 2, 3, 7, 1));  // its space is escaped all the same
}

TEST(SpieceTokenizer, HonoursTheWhitespaceSettings) {
  constexpr uint32_t kDummy = 3, kCollapse = 4, kEscape = 5;
  EXPECT_THAT(encode(file("", int_field(kDummy, 0)), "a a"), ElementsAre(4, 6, 1));
  EXPECT_THAT(encode(file("", int_field(kCollapse, 0)), "a  a "), ElementsAre(6, 3, 6, 3, 1));
  EXPECT_THAT(encode(file("", int_field(kEscape, 0)), "a a"), ElementsAre(2, 4, 2, 4, 1));
  EXPECT_THAT(encode(file(int_field(24, 1)), "a b"), ElementsAre(4, 3, 5, 3, 1));  // suffix instead of prefix
}

TEST(SpieceTokenizer, RefusesWhatItCannotUse) {
  const std::string no_end = piece("<unk>", 0, Type::kUnknown) + piece("a", 0);
  EXPECT_THAT(error_of(""), HasSubstr("s.model: no sentencepiece model"));
  EXPECT_THAT(error_of(no_end), HasSubstr("no piece </s>"));
  EXPECT_THAT(error_of(piece("</s>", 0, Type::kControl)), HasSubstr("unknown characters"));
  EXPECT_THAT(error_of(pieces() + bytes_field(2, int_field(3, 2))), HasSubstr("only unigram models"));
  EXPECT_THAT(error_of(file(int_field(35, 1))), HasSubstr("256 byte pieces"));
  EXPECT_THAT(error_of(file("", bytes_field(2, "abc"))), HasSubstr("character map"));
  EXPECT_THAT(error_of(pieces() + piece("", 0)), HasSubstr("piece 11 is empty"));
  EXPECT_THAT(error_of(pieces() + piece("c", std::numeric_limits<float>::quiet_NaN())),
              HasSubstr("piece 11"));
  EXPECT_THAT(error_of(pieces() + bytes_field(1, int_field(3, 9))), HasSubstr("unknown type 9"));
}

TEST(SpieceTokenizer, RefusesEveryTruncation) {
  const std::string whole = file("", bytes_field(2, small_charsmap()));
  const size_t header = pieces().size();
  for (size_t size = header - 40; size < header + 200; ++size) {
    const auto tokenizer = Tokenizer::parse(whole.substr(0, size), "s.model");
    if (tokenizer.ok()) {
      EXPECT_THAT((*tokenizer)->encode("a", 10), testing::Contains(1));
    }
  }
  for (const char* bad :
       {"\x0b", "\x0a\xff", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x02", "\x0d\x01"})
    EXPECT_THAT(error_of(bad), HasSubstr("malformed"));
}

}  // namespace
}  // namespace sdv2
