// SPDX-License-Identifier: LGPL-2.1-or-later
// One prompt as the chunks that carry it see it: an embedding that becomes known some time after it was asked
// for, and, on every worker, the keys and values that the transformer's blocks make of it, once.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dit/causal_dit.h"
#include "stream/settings.h"

namespace sdv2 {

class Prompt {
 public:
  // For a model with that many workers and blocks.
  Prompt(size_t workers, int64_t blocks);

  // Once, from any thread: the embedding [1, text_len, text_dim], or why there is none.
  void resolve(Result<at::Tensor> embedding);
  bool resolved() const { return resolved_.load(std::memory_order_acquire); }
  // Of a resolved prompt.
  const Result<at::Tensor>& embedding() const { return embedding_; }

  // This worker's keys and values of a block; computed at the first call. Only from that worker's thread,
  // with its stream current. `dit` holds the text embedding and the block on the worker's device.
  const TextKv& text_kv(size_t worker, int64_t block, const CausalDit& dit, at::ScalarType type,
                        at::Device device);

 private:
  struct OnWorker {
    at::Tensor context;  // [1, text_len, dim]
    std::vector<std::optional<TextKv>> blocks;
  };
  Result<at::Tensor> embedding_ = Error{ErrorCode::kInternal, "prompt was not resolved"};
  std::atomic<bool> resolved_ = false;
  std::vector<OnWorker> workers_;
};

// Between two embeddings of equal shape: 0 is `from`, 1 is `to`. Linear, or along the arc between the rows of
// both (slerp); rows without a direction are blended linearly.
at::Tensor blend_prompts(const at::Tensor& from, const at::Tensor& to, double share, PromptBlend mode);

}  // namespace sdv2
