// SPDX-License-Identifier: LGPL-2.1-or-later
// The text encoder and the way from prompt to context. Its numbers are checked by the golden cases.
#include "text/umt5_encoder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "text/encode_prompt.h"
#include "weights/formula_source.h"

namespace sdv2 {
namespace {

using testing::HasSubstr;

constexpr int64_t kDim = 16;

Umt5Encoder small_encoder(at::ScalarType type = at::kFloat) {
  Umt5Encoder encoder(
      {.vocab = 50, .dim = kDim, .dim_attn = 8, .dim_ffn = 24, .num_heads = 2, .num_layers = 2});
  FormulaSource weights(5);
  EXPECT_TRUE(load_params(params_of(encoder), weights, type, at::kCPU).ok());
  return encoder;
}

// One token per byte, and an end token.
class ByteTokenizer : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text, size_t max_len) const override {
    std::vector<int32_t> ids;
    for (const char byte : text.substr(0, max_len - 1)) ids.push_back(byte - 'a' + 2);
    ids.push_back(1);
    return ids;
  }
};

TEST(Umt5Encoder, ListsTheParametersOfTheCheckpoint) {
  Umt5Encoder encoder{Umt5Config{}};
  const ParamList params = params_of(encoder);
  EXPECT_EQ(params.size(), 242u);
  int64_t total = 0;
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& param : params) {
    total += std::accumulate(param.shape.begin(), param.shape.end(), int64_t{1}, std::multiplies<>());
    shapes[param.key] = param.shape;
  }
  EXPECT_EQ(total, 5'680'910'336);
  const std::pair<const char*, std::vector<int64_t>> wanted[] = {
      {"token_embedding.weight", {256384, 4096}},
      {"blocks.0.norm1.weight", {4096}},
      {"blocks.0.attn.q.weight", {4096, 4096}},
      {"blocks.23.attn.o.weight", {4096, 4096}},
      {"blocks.23.norm2.weight", {4096}},
      {"blocks.7.ffn.gate.0.weight", {10240, 4096}},
      {"blocks.7.ffn.fc1.weight", {10240, 4096}},
      {"blocks.7.ffn.fc2.weight", {4096, 10240}},
      {"blocks.7.pos_embedding.embedding.weight", {32, 64}},
      {"norm.weight", {4096}},
  };
  for (const auto& [key, shape] : wanted) EXPECT_EQ(shapes[key], shape) << key;
}

TEST(Umt5Encoder, GivesOneRowPerTokenInTheTypeOfTheWeights) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor context = small_encoder(type).forward(at::tensor({3, 4, 1}, at::kLong));
    EXPECT_EQ(context.sizes(), at::IntArrayRef({3, kDim}));
    EXPECT_EQ(context.scalar_type(), type);
    EXPECT_TRUE(at::isfinite(context).all().item<bool>());
  }
}

TEST(Umt5Encoder, SeesTheOrderOfTheTokens) {
  const Umt5Encoder encoder = small_encoder();
  const at::Tensor ab = encoder.forward(at::tensor({3, 4, 3, 1}, at::kLong));
  EXPECT_GT((ab[0] - ab[2]).abs().max().item<double>(), 1e-3);  // the same token at two places
}

TEST(Umt5Encoder, BucketsAreOfKeyMinusQuery) {
  const at::Tensor buckets = small_encoder().buckets(3);
  EXPECT_TRUE(buckets.equal(at::tensor({0, 17, 18, 1, 0, 17, 2, 1, 0}, at::kLong).view({3, 3})));
}

TEST(EncodePrompt, PadsWithZeroRows) {
  const Umt5Encoder encoder = small_encoder();
  const auto context = encode_prompt(ByteTokenizer(), encoder, " abc\n", 6);
  ASSERT_TRUE(context.ok()) << context.error().message;
  EXPECT_EQ(context->sizes(), at::IntArrayRef({6, kDim}));
  EXPECT_TRUE(context->narrow(0, 0, 4).equal(encoder.forward(at::tensor({2, 3, 4, 1}, at::kLong))));
  EXPECT_EQ(context->narrow(0, 4, 2).abs().max().item<float>(), 0.0f);
}

// A tokenizer.json without a template gives no end token.
class EmptyTokenizer : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view, size_t) const override { return {}; }
};

TEST(EncodePrompt, RefusesATokenizerWithoutEndToken) {
  const auto context = encode_prompt(EmptyTokenizer(), small_encoder(), "", 8);
  ASSERT_FALSE(context.ok());
  EXPECT_THAT(context.error().message, HasSubstr("no end token"));
}

TEST(EncodePrompt, CutsLongPrompts) {
  const auto context = encode_prompt(ByteTokenizer(), small_encoder(), "abcabcabc", 4);
  ASSERT_TRUE(context.ok());
  EXPECT_EQ(context->sizes(), at::IntArrayRef({4, kDim}));
}

TEST(EncodePrompt, RefusesForeignTokensAndEndlessPrompts) {
  const auto foreign =
      encode_prompt(ByteTokenizer(), small_encoder(), "az~~", 8);  // '~' is 31, 'z' is 27: inside
  EXPECT_TRUE(foreign.ok());
  Umt5Encoder narrow(
      {.vocab = 20, .dim = kDim, .dim_attn = 8, .dim_ffn = 24, .num_heads = 2, .num_layers = 1});
  const auto outside = encode_prompt(ByteTokenizer(), narrow, "az", 8);
  ASSERT_FALSE(outside.ok());
  EXPECT_EQ(outside.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(outside.error().message, HasSubstr("token 27"));
  const auto endless = encode_prompt(ByteTokenizer(), narrow, std::string(70000, 'a'), 8);
  ASSERT_FALSE(endless.ok());
  EXPECT_EQ(endless.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sdv2
