// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/base/temp_dir.h"

namespace sdv2 {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// The error message of a text, "" when it parses.
std::string error_of(std::string_view text, const JsonLimits& limits = {}) {
  const auto result = parse_json(text, "file", limits);
  return result.ok() ? "" : result.error().message;
}

TEST(Json, BuildsEveryKindOfValue) {
  const std::string text =
      R"({"a":[1,-2,2.5,true,false,null,"x\u00e9",[],{}],"b":{"c":{"d":[[3]]}},"e":18446744073709551615})";
  const auto result = parse_json(text, "file");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(*result, json::parse(text));
}

TEST(Json, AcceptsABareValue) { EXPECT_EQ(*parse_json(" 7 ", "file"), json(7)); }

TEST(Json, TellsFileAndByteOfASyntaxError) {
  EXPECT_THAT(error_of(R"({"a": 1,})"), testing::AllOf(testing::StartsWith("file: "), HasSubstr("byte 9")));
  EXPECT_NE(error_of(""), "");
  EXPECT_NE(error_of("{}{}"), "");
  EXPECT_NE(error_of("[1, // comment\n2]"), "");
  EXPECT_NE(error_of("[1e999]"), "");
  EXPECT_NE(error_of("[NaN]"), "");
  EXPECT_NE(error_of("\"\xff\""), "");
}

TEST(Json, RejectsDuplicateKeysAtAnyDepth) {
  EXPECT_THAT(error_of(R"({"a":1,"b":2,"a":1})"), HasSubstr("'a' appears twice"));
  EXPECT_THAT(error_of(R"([{"x":{"k":1,"\u006b":2}}])"), HasSubstr("'k' appears twice"));
  EXPECT_EQ(error_of(R"({"a":{"a":1},"b":{"a":2}})"), "");
}

TEST(Json, BoundsDepth) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(error_of(nested(5), {.max_depth = 5}), "");
  EXPECT_THAT(error_of(nested(6), {.max_depth = 5}), HasSubstr("byte 5"));
  EXPECT_NE(error_of(std::string(8'000'000, '[')), "");
  EXPECT_EQ(error_of(R"("[[[[[[ \" [[[[")", {.max_depth = 1}), "");  // brackets in strings do not count
}

TEST(Json, BoundsSizeValuesAndStrings) {
  EXPECT_NE(error_of("[1,2,3]", {.max_bytes = 6}), "");
  EXPECT_EQ(error_of("[1,2,3]", {.max_bytes = 7}), "");
  EXPECT_EQ(error_of("[1,2,3]", {.max_values = 4}), "");
  EXPECT_NE(error_of("[1,2,3]", {.max_values = 3}), "");
  EXPECT_EQ(error_of(R"("abc\"")", {.max_string = 5}), "");
  EXPECT_THAT(error_of(R"(["abc\""])", {.max_string = 4}), HasSubstr("byte 1"));
  EXPECT_NE(error_of("\"abc\\"), "");  // ends inside an escape
}

TEST(Json, ErrorsHoldNoControlBytes) {
  for (const std::string_view text : {"{\"a\x1b[2J\": }", "{\x1b[2J", "{\"\\u001b\":1,\"\\u001b\":2}"})
    for (const char c : error_of(text)) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
}

TEST(Json, ReadsFiles) {
  const test::TempDir dir;
  EXPECT_EQ(*read_json_file(dir.write("a.json", R"({"k": 1})")), json({{"k", 1}}));
  EXPECT_FALSE(read_json_file(dir.path() / "absent.json").ok());
  const auto bad = read_json_file(dir.write("b.json", "{"));
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().message, HasSubstr("b.json"));
}

}  // namespace
}  // namespace sdv2
