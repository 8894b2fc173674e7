// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/umt5_encoder.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "text/relative_buckets.h"

namespace sdv2 {
namespace {

// Written out, so that in bfloat16 every operation rounds as it does in the reference.
at::Tensor gelu_tanh(const at::Tensor& x) {
  const double c = std::sqrt(2.0 / std::numbers::pi);
  return 0.5 * x * (1.0 + at::tanh(c * (x + 0.044715 * at::pow(x, 3.0))));
}

}  // namespace

at::Tensor Umt5RmsNorm::forward(const at::Tensor& x) const {
  const at::Tensor mean_square = x.to(at::kFloat).pow(2).mean(-1, /*keepdim=*/true);
  return weight * (x * at::rsqrt(mean_square + eps)).to(weight.scalar_type());
}

at::Tensor Umt5Attention::forward(const at::Tensor& x, const at::Tensor& bias) const {
  const auto heads = [&](const at::Tensor& y) {
    return y.view({-1, num_heads, dim_attn / num_heads}).transpose(0, 1);
  };
  const at::Tensor queries = heads(at::linear(x, q));  // [heads, L, head size]
  const at::Tensor keys = heads(at::linear(x, k));
  const at::Tensor values = heads(at::linear(x, v));

  const at::Tensor scores = at::matmul(queries, keys.transpose(1, 2)) + bias;  // [heads, L, L]
  const at::Tensor attention = at::softmax(scores.to(at::kFloat), -1).to(x.scalar_type());
  const at::Tensor mixed = at::matmul(attention, values);               // [heads, L, head size]
  return at::linear(mixed.transpose(0, 1).reshape({-1, dim_attn}), o);  // [L, dim]
}

void Umt5Attention::list(const ParamScope& p) {
  p("q.weight", q, {dim_attn, dim});
  p("k.weight", k, {dim_attn, dim});
  p("v.weight", v, {dim_attn, dim});
  p("o.weight", o, {dim, dim_attn});
}

at::Tensor Umt5FeedForward::forward(const at::Tensor& x) const {
  return at::linear(at::linear(x, fc1) * gelu_tanh(at::linear(x, gate)), fc2);
}

void Umt5FeedForward::list(const ParamScope& p) {
  p("gate.0.weight", gate, {dim_ffn, dim});
  p("fc1.weight", fc1, {dim_ffn, dim});
  p("fc2.weight", fc2, {dim, dim_ffn});
}

Umt5Block::Umt5Block(const Umt5Config& config)
    : num_buckets_(config.num_buckets),
      num_heads_(config.num_heads),
      norm1_{config.dim, config.eps, {}},
      attn_{config.dim, config.dim_attn, config.num_heads, {}, {}, {}, {}},
      norm2_{config.dim, config.eps, {}},
      ffn_{config.dim, config.dim_ffn, {}, {}, {}} {}

at::Tensor Umt5Block::forward(const at::Tensor& x, const at::Tensor& buckets) const {
  const at::Tensor bias = at::embedding(position_bias_, buckets).permute({2, 0, 1});  // [heads, L, L]
  const at::Tensor attended = x + attn_.forward(norm1_.forward(x), bias);
  return attended + ffn_.forward(norm2_.forward(attended));
}

void Umt5Block::list(const ParamScope& p) {
  norm1_.list(p / "norm1");
  attn_.list(p / "attn");
  norm2_.list(p / "norm2");
  ffn_.list(p / "ffn");
  p("pos_embedding.embedding.weight", position_bias_, {num_buckets_, num_heads_});
}

Umt5Encoder::Umt5Encoder(const Umt5Config& config)
    : config_(config),
      blocks_(static_cast<size_t>(config.num_layers), Umt5Block(config)),
      norm_{config.dim, config.eps, {}} {}

void Umt5Encoder::list(const ParamScope& p) {
  p("token_embedding.weight", token_embedding_, {config_.vocab, config_.dim});
  for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i].list(p / "blocks" / static_cast<int64_t>(i));
  norm_.list(p / "norm");
}

at::Tensor Umt5Encoder::forward(const at::Tensor& ids) const {
  at::Tensor x = embed(ids);                                   // [L, dim]
  const at::Tensor relative_positions = buckets(ids.size(0));  // [L, L]
  for (const auto& block : blocks_) x = block.forward(x, relative_positions);
  return finish(x);
}

at::Tensor Umt5Encoder::embed(const at::Tensor& ids) const {
  return at::embedding(token_embedding_, ids.to(token_embedding_.device()));
}

at::Tensor Umt5Encoder::buckets(int64_t length) const {
  at::Tensor table = at::empty({2 * length - 1}, at::kLong);  // by key - query + length - 1
  auto* const entries = table.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < 2 * length - 1; ++i)
    entries[i] = relative_bucket(i - (length - 1), config_.num_buckets, config_.max_distance);
  const at::Tensor position = at::arange(length, at::kLong);
  const at::Tensor key_minus_query = position.unsqueeze(0) - position.unsqueeze(1);  // [L, L]
  return table.index({key_minus_query + (length - 1)}).to(token_embedding_.device());
}

}  // namespace sdv2
