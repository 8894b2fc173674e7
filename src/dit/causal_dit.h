// SPDX-License-Identifier: LGPL-2.1-or-later
// The causal Wan 2.1 transformer: predicts the flow (noise − clean) of a chunk of latent frames, given the
// cached past.
//
// It can be run whole (forward) or in pieces (embed, time, blocks, head), each piece on another device: a
// device needs the weights of its pieces only. R rows are independent: each has its own timesteps, position,
// past and prompt.
//
// All functions are const and allocate their results; several threads may run one network at once. ATen
// errors (a piece whose weights are not loaded, shapes that do not fit, out of memory) are thrown as
// c10::Error.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "dit/block.h"
#include "dit/dit_config.h"
#include "dit/dit_part.h"
#include "dit/head.h"
#include "dit/patch_embedding.h"
#include "dit/text_embedding.h"
#include "dit/time_embedding.h"
#include "weights/weight_source.h"

namespace sdv2 {

// Of each block of a range the keys and values of a prompt; blocks[0] belongs to the first block of the
// range.
using TextContext = std::vector<TextKv>;

class CausalDit {
 public:
  // A network without weights.
  explicit CausalDit(const DitConfig& config);

  const DitConfig& config() const { return config_; }

  // All parameters, by the original Wan keys.
  void list(const ParamScope& p);

  // Checks the source against the whole network, then reads the weights of `part`. Parts can be loaded one
  // after the other.
  Result<void> load(const DitPart& part, WeightSource& source, at::ScalarType type, at::Device device);

  // latents [R, F, in_dim, h, w] → tokens [R, F·S, dim].
  at::Tensor embed(const at::Tensor& latents) const { return patch_.forward(latents); }

  // timesteps [R, F] (0…1000) → the time vectors, in `type`.
  TimeVectors time(const at::Tensor& timesteps, at::ScalarType type) const {
    return time_.forward(timesteps, type);
  }

  // The text encoder's output [R, text_len, text_dim] → context [R, text_len, dim].
  at::Tensor embed_text(const at::Tensor& prompt) const { return text_.forward(prompt); }

  // What the blocks of a range keep of a context [R or 1, text_len, dim]: once per prompt.
  TextContext text_context(const at::Tensor& context, const BlockRange& range) const;

  // Readies loaded blocks for FusedDit.
  void join_qkv(const BlockRange& range);
  // Keeps the linears of joined blocks in fp8 only (FusedDit::supports): FusedDit runs them, forward() fails.
  void quantise(const BlockRange& range);

  const Block& block(int64_t index) const { return blocks_.at(static_cast<size_t>(index)); }

  // Tokens and the time embedding e [R, F, dim] → flow [R, F, out_dim, h, w].
  at::Tensor head(const at::Tensor& x, const at::Tensor& e, const TokenGrid& grid) const {
    return head_.forward(x, e, grid);
  }
  const Head& head_layers() const { return head_; }

  // All pieces on one device. latents [R, F, in_dim, h, w], timesteps [R, F], start_frames int64 [R] (the
  // position of each row's first frame), one text and one cache per block → flow [R, F, out_dim, h, w]. All
  // tensors on one device.
  at::Tensor forward(const at::Tensor& latents, const at::Tensor& timesteps, const at::Tensor& start_frames,
                     const TextContext& text, std::span<KvStore* const> kv) const;

 private:
  void list_part(const ParamScope& p, const DitPart& part);

  DitConfig config_;
  PatchEmbedding patch_;
  TextEmbedding text_;
  TimeEmbedding time_;
  std::vector<Block> blocks_;
  Head head_;
};

}  // namespace sdv2
