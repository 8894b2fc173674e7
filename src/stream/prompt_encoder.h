// SPDX-License-Identifier: LGPL-2.1-or-later
// Turns prompts into embeddings on a thread of its own, so that a change of prompt never holds up a stream.
#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/result.h"
#include "stream/prompt.h"

namespace sdv2 {

class PromptEncoder {
 public:
  // `encode`: a text to its embedding [text_len, text_dim]; called on the encoder's thread only; may throw
  // c10::Error. `resolved`: called there after each prompt that became known.
  PromptEncoder(size_t workers, int64_t blocks, std::function<Result<at::Tensor>(const std::string&)> encode,
                std::function<void()> resolved);
  ~PromptEncoder();

  // The prompt of a text; equal texts share one while anybody holds it. Any thread; returns at once, the
  // prompt is resolved later, in the order of the calls.
  std::shared_ptr<Prompt> encode(const std::string& text);

  // Between two prompts of this encoder; see blend_prompts.
  std::shared_ptr<Prompt> blend(std::shared_ptr<Prompt> from, std::shared_ptr<Prompt> to, double share,
                                PromptBlend mode);

 private:
  using Task = std::function<void()>;
  std::shared_ptr<Prompt> enqueue(std::function<Result<at::Tensor>()> make);
  void run();

  size_t workers_;
  int64_t blocks_;
  std::function<Result<at::Tensor>(const std::string&)> encode_;
  std::function<void()> resolved_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::unordered_map<std::string, std::weak_ptr<Prompt>> known_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sdv2
