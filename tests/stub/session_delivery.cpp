// SPDX-License-Identifier: LGPL-2.1-or-later
// Finishing chunks and telling the caller: the session's thread, flush, drain, close, and stepping by a test.
#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "stub/engine.h"
#include "stub/session.h"
#include "stub/status.h"

namespace sdv2::stub {

using Json = nlohmann::json;

void Session::run() {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    if (!under_way_.empty() && due(*under_way_.front())) {
      finish_due(*under_way_.front());
      deliver(lock);
    } else if (!under_way_.empty() && program_.pace == Pace::kReal) {
      const std::chrono::nanoseconds due_time(under_way_.front()->due_ns);
      changed_.wait_until(lock, std::chrono::steady_clock::time_point(due_time));
    } else {
      changed_.wait(lock);
    }
  }
}

bool Session::due(const Chunk& head) const {
  return head.result.has_value() || model_->dead().has_value() ||
         (program_.pace != Pace::kStep && now() >= head.due_ns);
}

void Session::finish_due(Chunk& head) {
  if (!head.result.has_value()) {
    head.done_ns = program_.pace == Pace::kVirtual ? std::min(head.due_ns, now()) : now();
    if (auto dead = model_->dead())
      head.result = *dead;
    else
      head.result = head.failure.has_value() ? Result<void>(*head.failure) : Result<void>();
  }
  if (!head.result->ok() && head.result->error().code == ErrorCode::kDevice)
    model_->kill(head.result->error().message);
}

// After a chunk that is lost the stream starts anew with the next one. Where later chunks are on their way
// already, that is one of them; else it is the open chunk.
void Session::fail_stream(const Chunk& chunk) {
  ++stats_.counts.chunks_failed;
  const bool followed = std::any_of(under_way_.begin(), under_way_.end(),
                                    [&](const auto& each) { return each->stream == chunk.stream; });
  if (chunk.stream == stream_ && !followed) start_stream();
}

void Session::start_stream() {
  ++stream_;
  stream_begins_ = true;
  stream_chunks_ = 0;
  blend_begin_ = kNoBlend;
  first_put_ns_.reset();
  last_picture_ = {};
  stats_.new_stream();
}

void Session::deliver(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<Chunk> chunk = under_way_.front();
  under_way_.pop_front();
  const bool ok = chunk->result->ok();
  if (ok) {
    finished_[chunk->number] = chunk;
    if (chunk->stream == stream_ && stats_.counts.first_frame_ns == 0 && first_put_ns_.has_value())
      stats_.counts.first_frame_ns = std::max<int64_t>(chunk->done_ns - *first_put_ns_, 1);
    stats_.chunk_finished(chunk->submit_ns, chunk->start_ns, chunk->done_ns);
    ++stats_.counts.chunks_done;
    stats_.counts.frames_out += static_cast<int64_t>(chunk->frames.size());
    stats_.counts.chunks_skipped += chunk->steps == 0 ? 1 : 0;
    stats_.counts.noise_scale = chunk->noise_scale;
    stats_.counts.rung = chunk->quality.rung;
  } else {
    fail_stream(*chunk);
  }
  Engine::instance().trace("chunk " + std::to_string(chunk->number), index_, chunk->start_ns, chunk->done_ns);
  sdv2_chunk_info info{};
  info.struct_size = sizeof info;
  info.chunk = chunk->number;
  info.generation = chunk->generation;
  info.code = ok ? SDV2_OK : to_code(chunk->result->error().code);
  info.message = ok ? "" : chunk->result->error().message.c_str();
  info.frames = static_cast<int32_t>(chunk->frames.size());
  info.steps = chunk->steps;
  info.noise_scale = chunk->noise_scale;
  info.submit_ns = chunk->submit_ns;
  info.start_ns = chunk->start_ns;
  info.done_ns = chunk->done_ns;
  info.rung = chunk->quality.rung;
  info.show = chunk->quality.show;
  in_callback_ = true;
  lock.unlock();
  if (observer_.chunk_done != nullptr) observer_.chunk_done(observer_.user, &info);
  lock.lock();
  in_callback_ = false;
  ++callbacks_;
  changed_.notify_all();
}

bool Session::in_own_callback() const { return thread_.get_id() == std::this_thread::get_id(); }

Result<void> Session::drain(int64_t timeout_ms) {
  if (timeout_ms < 0) return invalid("timeout_ms is negative");
  if (in_own_callback()) return invalid("drain must not be called from chunk_done");
  std::unique_lock lock(mutex_);
  const uint64_t generation = generation_;
  const auto over = [&] {
    return closed_ || generation_ != generation || (under_way_.empty() && !in_callback_);
  };
  // Longer than any run, yet no overflow of the clock.
  const std::chrono::milliseconds timeout(std::min<int64_t>(timeout_ms, 1'000'000'000'000));
  const bool in_time = changed_.wait_for(lock, timeout, over);
  if (closed_ || generation_ != generation)
    return Error{ErrorCode::kCancelled, "drain was cancelled by flush or close"};
  if (!in_time)
    return Error{ErrorCode::kBusy, std::to_string(under_way_.size()) + " chunks are still under way"};
  if (auto dead = model_->dead()) return *dead;
  return {};
}

Result<void> Session::reset() {
  const std::scoped_lock lock(mutex_);
  if (auto dead = model_->dead()) return *dead;
  open_.clear();
  start_stream();
  return {};
}

Result<void> Session::flush() {
  std::unique_lock lock(mutex_);
  ++generation_;
  generation_begin_ = next_chunk_;
  stats_.counts.chunks_dropped += static_cast<int64_t>(under_way_.size());
  open_.clear();
  under_way_.clear();
  finished_.clear();
  last_due_ns_ = 0;
  start_stream();
  changed_.notify_all();
  if (in_own_callback()) return {};
  const uint64_t callbacks = callbacks_;
  changed_.wait(lock, [&] { return !in_callback_ || callbacks_ != callbacks; });
  return {};
}

void Session::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    ++generation_;
    changed_.notify_all();
  }
  if (in_own_callback()) {
    Engine::instance().log(SDV2_LOG_ERROR, "sdv2_session_close must not be called from chunk_done");
    std::thread([self = shared_from_this()] { self->thread_.join(); }).detach();
    return;
  }
  thread_.join();
}

bool Session::wait_submitted(int64_t count, int timeout_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
    return closed_ || stats_.counts.chunks_submitted >= count;
  }) && stats_.counts.chunks_submitted >= count;
}

void Session::wait_settled(std::unique_lock<std::mutex>& lock) {
  changed_.wait(
      lock, [&] { return closed_ || (!in_callback_ && (under_way_.empty() || !due(*under_way_.front()))); });
}

void Session::settle() {
  std::unique_lock lock(mutex_);
  changed_.notify_all();
  wait_settled(lock);
}

bool Session::step(int count) {
  for (; count > 0; --count) {
    int64_t chunk = 0;
    {
      const std::scoped_lock lock(mutex_);
      if (under_way_.empty()) return false;
      chunk = under_way_.front()->number;
    }
    if (!finish(chunk, std::nullopt)) return false;
  }
  return true;
}

bool Session::finish(int64_t number, const std::optional<Error>& error) {
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(under_way_.begin(), under_way_.end(),
                                  [&](const auto& each) { return each->number == number; });
  if (found == under_way_.end()) return false;
  Chunk& chunk = **found;
  chunk.done_ns = now();
  const std::optional<Error>& failure = error.has_value() ? error : chunk.failure;
  chunk.result = failure.has_value() ? Result<void>(*failure) : Result<void>();
  changed_.notify_all();
  wait_settled(lock);
  return true;
}

Json Session::under_way() {
  const std::scoped_lock lock(mutex_);
  Json list = Json::array();
  for (const auto& chunk : under_way_)
    list.push_back(
        {{"chunk", chunk->number}, {"frames", chunk->frames.size()}, {"deadline_ns", chunk->deadline_ns}});
  return list;
}

}  // namespace sdv2::stub
