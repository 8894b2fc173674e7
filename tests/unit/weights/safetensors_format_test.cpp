// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/safetensors_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/weights/file_builders.h"

namespace sdv2 {
namespace {

using test::as_bytes;
using test::safetensors;
using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view header, size_t data_bytes) {
  const auto result = parse_safetensors(as_bytes(safetensors(header, std::string(data_bytes, 'd'))), "file");
  return result.ok() ? "" : result.error().message;
}

// One entry named x.
std::string entry(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return "{\"x\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":" + std::string(offsets) + "}}";
}

TEST(Safetensors, ListsTensorsInTheOrderOfTheirData) {
  const std::string header = R"({"__metadata__":{"format":"pt"},
      "a":{"dtype":"F32","shape":[2,1],"data_offsets":[5,13]},
      "b":{"dtype":"BF16","shape":[],"data_offsets":[2,4]},
      "c":{"dtype":"I64","shape":[0,9],"data_offsets":[13,13]}}   )";
  const auto tensors = parse_safetensors(as_bytes(safetensors(header, std::string(20, 'd'))), "file");
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 3u);
  EXPECT_EQ((*tensors)[0].key, "b");
  EXPECT_EQ((*tensors)[0].dtype, DType::kBF16);
  EXPECT_EQ((*tensors)[0].offset, 8 + header.size() + 2);
  EXPECT_EQ((*tensors)[0].extent, 2u);
  EXPECT_EQ((*tensors)[1].key, "a");
  EXPECT_THAT((*tensors)[1].shape, ElementsAre(2, 1));
  EXPECT_TRUE((*tensors)[1].strides.empty());
  EXPECT_EQ((*tensors)[2].key, "c");
  EXPECT_EQ((*tensors)[2].extent, 0u);
}

TEST(Safetensors, RejectsBadLengths) {
  for (const std::string& file :
       {std::string(), std::string("\x02\0\0", 3), test::le(0, 8), test::le(0, 8) + "{}",
        test::le(3, 8) + "{}", test::le(uint64_t{1} << 63, 8) + "{}", test::le(~uint64_t{0}, 8) + "{}",
        test::le(100'000'001, 8) + "{}"})
    EXPECT_FALSE(parse_safetensors(as_bytes(file), "file").ok()) << file.size();
  EXPECT_TRUE(parse_safetensors(as_bytes(test::le(2, 8) + "{}"), "file").ok());
}

TEST(Safetensors, RejectsMalformedHeaders) {
  EXPECT_NE(error_of(" {}", 0), "");  // must begin with the brace
  EXPECT_NE(error_of("[]", 0), "");
  EXPECT_NE(error_of("{\"x\":1}", 0), "");
  EXPECT_NE(error_of("{\"x\":{}}", 0), "");
  EXPECT_NE(error_of("{\"__metadata__\":{\"a\":1}}", 0), "");
  EXPECT_NE(error_of("{\"__metadata__\":[]}", 0), "");
  EXPECT_NE(error_of("{\"x\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]}}", 4), "");
  EXPECT_NE(error_of(R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), "");
  EXPECT_NE(error_of(R"({"a\nb":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), "");
  EXPECT_THAT(error_of(entry("F31", "[1]", "[0,4]"), 4), HasSubstr("'F31'"));
}

TEST(Safetensors, RejectsBadShapes) {
  EXPECT_EQ(error_of(entry("U8", "[2,3]", "[0,6]"), 6), "");
  EXPECT_NE(error_of(entry("U8", "[-1]", "[0,1]"), 1), "");
  EXPECT_NE(error_of(entry("U8", "[1.0]", "[0,1]"), 1), "");
  EXPECT_NE(error_of(entry("U8", "[true]", "[0,1]"), 1), "");
  EXPECT_NE(error_of(entry("U8", "1", "[0,1]"), 1), "");
  EXPECT_NE(error_of(entry("U8", "[18446744073709551615]", "[0,1]"), 1), "");
  EXPECT_NE(error_of(entry("F64", "[4294967296,4294967296]", "[0,0]"), 0), "");  // 2^64 elements wrap to 0
  EXPECT_NE(error_of(entry("F64", "[2305843009213693952]", "[0,0]"), 0), "");    // 2^61 · 8 bytes wrap to 0
  EXPECT_NE(error_of(entry("U8", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), 0), "");
  EXPECT_NE(error_of(entry("U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]"), 1), "");  // 17 dimensions
  EXPECT_EQ(error_of(entry("U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]"), 1), "");
}

TEST(Safetensors, RejectsBadOffsets) {
  EXPECT_EQ(error_of(entry("F32", "[1]", "[4,8]"), 8), "");
  EXPECT_NE(error_of(entry("F32", "[1]", "[8,4]"), 8), "");
  EXPECT_NE(error_of(entry("F32", "[1]", "[0,3]"), 8), "");
  EXPECT_NE(error_of(entry("F32", "[1]", "[0]"), 8), "");
  EXPECT_NE(error_of(entry("F32", "[1]", "[0,2,4]"), 8), "");
  EXPECT_NE(error_of(entry("F32", "[1]", "[-4,0]"), 8), "");
  EXPECT_THAT(error_of(entry("F32", "[1]", "[5,9]"), 8), HasSubstr("truncated"));
  EXPECT_NE(error_of(entry("F32", "[1]", "[9223372036854775803,9223372036854775807]"), 8), "");
  EXPECT_NE(error_of(entry("U8", "[0]", "[9,9]"), 8), "");  // even an empty one lies inside
}

TEST(Safetensors, AllowsGapsButNoOverlap) {
  const auto two = [](std::string_view first, std::string_view second) {
    return "{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + std::string(first) +
           "},\"y\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + std::string(second) + "}}";
  };
  EXPECT_EQ(error_of(two("[0,4]", "[10,14]"), 20), "");
  EXPECT_EQ(error_of(two("[4,8]", "[0,4]"), 8), "");
  EXPECT_THAT(error_of(two("[0,4]", "[3,7]"), 8), HasSubstr("overlap"));
  EXPECT_THAT(error_of(two("[0,4]", "[0,4]"), 8), HasSubstr("overlap"));
  // An empty tensor between hides no overlap.
  EXPECT_NE(error_of(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
      "e":{"dtype":"U8","shape":[0],"data_offsets":[3,3]},"y":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                     8),
            "");
}

TEST(Safetensors, RejectsDuplicates) {
  EXPECT_THAT(error_of(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                       2),
              HasSubstr("twice"));
  EXPECT_NE(error_of(R"({"x":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 2), "");
}

TEST(Safetensors, BoundsNestingAndCount) {
  EXPECT_NE(error_of("{\"x\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", 0), "");
  std::string many = "{";
  for (size_t i = 0; i <= kMaxTensors; ++i)
    many += "\"" + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},";
  many.back() = '}';
  EXPECT_NE(error_of(many, 0), "");
}

TEST(Safetensors, HeaderReadsBack) {
  const std::vector<TensorHeader> tensors = {
      {"z.weight", DType::kF32, {2, 3}}, {"quote\"\\", DType::kBF16, {}}, {"\u00e9", DType::kI64, {0}}};
  const auto header = make_safetensors_header(tensors, {{"format", "pt"}, {"by \"us\"", "1\n2"}}, "file");
  ASSERT_TRUE(header.ok()) << header.error().message;
  EXPECT_EQ(header->size() % 8, 0u);
  const auto read = parse_safetensors(as_bytes(*header + std::string(26, 'd')), "file");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[0].key, "z.weight");
  EXPECT_EQ((*read)[0].offset, header->size());
  EXPECT_EQ((*read)[1].key, "quote\"\\");
  EXPECT_EQ((*read)[1].offset, header->size() + 24);
  EXPECT_EQ((*read)[2].key, "\u00e9");
  EXPECT_TRUE(make_safetensors_header({}, {}, "file").ok());
}

TEST(Safetensors, HeaderRefusesWhatCouldNotBeReadBack) {
  const auto ok = [](const std::vector<TensorHeader>& tensors) {
    return make_safetensors_header(tensors, {}, "file").ok();
  };
  EXPECT_TRUE(ok({{"a", DType::kU8, {1}}, {"b", DType::kU8, {1}}}));
  EXPECT_FALSE(ok({{"a", DType::kU8, {1}}, {"a", DType::kU8, {1}}}));
  EXPECT_FALSE(ok({{"", DType::kU8, {1}}}));
  EXPECT_FALSE(ok({{"\xff", DType::kU8, {1}}}));
  EXPECT_FALSE(ok({{"__metadata__", DType::kU8, {1}}}));
  EXPECT_FALSE(ok({{"a", DType::kU8, {-1}}}));
  EXPECT_FALSE(ok({{"a", DType::kF64, {int64_t{1} << 59}}, {"b", DType::kF64, {int64_t{1} << 59}}}));
}

}  // namespace
}  // namespace sdv2
