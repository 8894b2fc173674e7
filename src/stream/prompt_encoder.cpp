// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/prompt_encoder.h"

#include <ATen/ATen.h>
#include <pthread.h>

#include "runtime/device_stream.h"

namespace sdv2 {

PromptEncoder::PromptEncoder(size_t workers, int64_t blocks,
                             std::function<Result<at::Tensor>(const std::string&)> encode,
                             std::function<void()> resolved)
    : workers_(workers), blocks_(blocks), encode_(std::move(encode)), resolved_(std::move(resolved)) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "sdv2-prompt");
}

PromptEncoder::~PromptEncoder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<Prompt> PromptEncoder::enqueue(std::function<Result<at::Tensor>()> make) {
  auto prompt = std::make_shared<Prompt>(workers_, blocks_);
  tasks_.emplace_back([this, prompt, make = std::move(make)] {
    const c10::InferenceMode inference;
    try {
      auto embedding = make();
      if (embedding.ok()) synchronize(embedding->device());  // workers use it on other streams
      prompt->resolve(std::move(embedding));
    } catch (const c10::Error& error) {
      prompt->resolve(Error{ErrorCode::kInternal,
                            std::string("the prompt cannot be encoded: ") + error.what_without_backtrace()});
    } catch (const std::exception& error) {
      prompt->resolve(
          Error{ErrorCode::kInternal, std::string("the prompt cannot be encoded: ") + error.what()});
    }
    resolved_();
  });
  changed_.notify_all();
  return prompt;
}

std::shared_ptr<Prompt> PromptEncoder::encode(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (auto known = known_[text].lock()) return known;
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  auto prompt = enqueue([this, text]() -> Result<at::Tensor> {
    SDV2_TRY(const at::Tensor rows, encode_(text));
    return rows.unsqueeze(0);
  });
  known_[text] = prompt;
  return prompt;
}

std::shared_ptr<Prompt> PromptEncoder::blend(std::shared_ptr<Prompt> from, std::shared_ptr<Prompt> to,
                                             double share, PromptBlend mode) {
  const std::lock_guard lock(mutex_);
  return enqueue([from = std::move(from), to = std::move(to), share, mode]() -> Result<at::Tensor> {
    // Both were asked for earlier, so they are resolved.
    SDV2_TRY(const at::Tensor begin, from->embedding());
    SDV2_TRY(const at::Tensor end, to->embedding());
    return blend_prompts(begin, end, share, mode);
  });
}

void PromptEncoder::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace sdv2
