// SPDX-License-Identifier: LGPL-2.1-or-later
// The encoder of UMT5: token ids to the context that the diffusion transformer attends to.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "weights/param_list.h"

namespace sdv2 {

// The defaults are UMT5-XXL.
struct Umt5Config {
  int64_t vocab = 256384;
  int64_t dim = 4096;
  int64_t dim_attn = 4096;  // all heads together
  int64_t dim_ffn = 10240;
  int64_t num_heads = 64;
  int64_t num_layers = 24;
  int64_t num_buckets = 32;    // of relative positions
  int64_t max_distance = 128;  // beyond it all positions share the last bucket
  double eps = 1e-6;
};

// x · rsqrt(mean(x²) + eps) · weight, statistics in float32.
struct Umt5RmsNorm {
  int64_t dim;
  double eps;
  at::Tensor weight;  // [dim]

  at::Tensor forward(const at::Tensor& x) const;
  void list(const ParamScope& p) { p("weight", weight, {dim}); }
};

// Attention without a scale; a bias by relative position is added to the scores.
struct Umt5Attention {
  int64_t dim;
  int64_t dim_attn;
  int64_t num_heads;
  at::Tensor q, k, v, o;

  at::Tensor forward(const at::Tensor& x, const at::Tensor& bias) const;
  void list(const ParamScope& p);
};

// fc2(fc1(x) · gelu(gate(x)))
struct Umt5FeedForward {
  int64_t dim;
  int64_t dim_ffn;
  at::Tensor gate, fc1, fc2;

  at::Tensor forward(const at::Tensor& x) const;
  void list(const ParamScope& p);
};

class Umt5Block {
 public:
  explicit Umt5Block(const Umt5Config& config);

  // x [L, dim], buckets [L, L] (Umt5Encoder::buckets) → [L, dim].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& buckets) const;
  void list(const ParamScope& p);

 private:
  int64_t num_buckets_;
  int64_t num_heads_;
  Umt5RmsNorm norm1_;
  Umt5Attention attn_;
  at::Tensor position_bias_;  // [num_buckets, num_heads], another one in every block
  Umt5RmsNorm norm2_;
  Umt5FeedForward ffn_;
};

// Works on one text at a time and on its real tokens only; what stands behind them is padding that nothing
// may attend to. Device and type are those of the weights. Forward functions may run on any thread, but not
// while weights are being loaded.
class Umt5Encoder {
 public:
  explicit Umt5Encoder(const Umt5Config& config);

  const Umt5Config& config() const { return config_; }
  // Parameters under the keys of models_t5_umt5-xxl-enc-bf16.pth.
  void list(const ParamScope& p);

  // ids [L] (int64, each in [0, vocab), on any device) → context [L, dim].
  at::Tensor forward(const at::Tensor& ids) const;

  // The parts of forward.
  at::Tensor embed(const at::Tensor& ids) const;  // → [L, dim]
  at::Tensor buckets(int64_t length) const;       // → [L, L] int64: bucket of key (column) - query (row)
  const std::vector<Umt5Block>& blocks() const { return blocks_; }
  at::Tensor finish(const at::Tensor& x) const { return norm_.forward(x); }

 private:
  Umt5Config config_;
  at::Tensor token_embedding_;  // [vocab, dim]
  std::vector<Umt5Block> blocks_;
  Umt5RmsNorm norm_;
};

}  // namespace sdv2
