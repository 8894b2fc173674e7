// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/model_cache.h"

#include <c10/util/Exception.h>
#include <pthread.h>

#include <algorithm>

namespace sdv2 {

using Clock = std::chrono::steady_clock;

// A configuration that somebody opened. Under the cache's lock.
struct ModelEntry {
  ModelConfig config;
  int users = 0;
  bool ended = false;  // loaded or failed
  Result<std::shared_ptr<LoadedModel>> model = Error{ErrorCode::kInternal, "not loaded"};
  std::atomic<bool> cancelled = false;
  Clock::time_point unused_since{};
  std::thread loader;

  // It is loaded and none of its devices has failed.
  bool is_alive() const { return ended && model.ok() && (*model)->executor().alive().ok(); }
};

namespace {

// While sessions hold on to a model that has no handle any more, how often to look whether they are gone.
constexpr auto kLookAgain = std::chrono::milliseconds(50);

Result<std::shared_ptr<LoadedModel>> load_model(ModelEntry& entry,
                                                const std::function<void(const char*, int)>& progress) {
  const LoadWatch watch{progress, [&entry] { return entry.cancelled.load(); }};
  try {
    return LoadedModel::load(entry.config, watch);
  } catch (const c10::OutOfMemoryError& error) {
    return Error{ErrorCode::kOutOfMemory,
                 std::string("the model does not fit on the device: ") + error.what_without_backtrace()};
  } catch (const c10::Error& error) {
    return Error{ErrorCode::kDevice,
                 std::string("loading the model failed: ") + error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "the host has not enough memory for the model"};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, std::string("loading the model failed: ") + error.what()};
  }
}

}  // namespace

ModelCache::ModelCache() {
  keeper_ = std::thread([this] { run(); });
  pthread_setname_np(keeper_.native_handle(), "sdv2-models");
}

ModelCache::~ModelCache() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& entry : entries_) entry->cancelled = true;
  }
  changed_.notify_all();
  keeper_.join();
  for (const auto& entry : entries_) entry->loader.join();
}

std::unique_ptr<ModelCache::Handle> ModelCache::open(const ModelConfig& config, LoadObserver observer) {
  std::unique_ptr<Handle> handle(new Handle());
  handle->cache_ = this;
  handle->observer_ = std::move(observer);
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return (entry->is_alive() || (!entry->ended && !entry->cancelled)) && entry->config.key() == config.key();
  });
  if (found != entries_.end()) {
    handle->entry_ = *found;
    handle->entry_->config.linger = std::max(handle->entry_->config.linger, config.linger);
    if (handle->entry_->ended) handle->outcome_ = Result<void>();
  } else {
    handle->entry_ = std::make_shared<ModelEntry>();
    handle->entry_->config = config;
    entries_.push_back(handle->entry_);
    handle->entry_->loader = std::thread([this, entry = handle->entry_] { load(entry); });
    pthread_setname_np(handle->entry_->loader.native_handle(), "sdv2-load");
  }
  ++handle->entry_->users;
  handles_.push_back(handle.get());
  changed_.notify_all();
  return handle;
}

ModelCache::Handle::~Handle() {
  std::unique_lock lock(cache_->mutex_);
  closing_ = true;
  cache_->changed_.notify_all();
  const bool in_own_callback = calling_ == std::this_thread::get_id();
  cache_->changed_.wait(lock, [&] { return calls_ == (in_own_callback ? 1 : 0); });
  if (in_own_callback) *gone_ = true;
  cache_->handles_.remove(this);
  if (--entry_->users == 0) {
    entry_->unused_since = Clock::now();
    if (!entry_->ended) entry_->cancelled = true;
  }
  cache_->changed_.notify_all();
}

Result<std::shared_ptr<LoadedModel>> ModelCache::Handle::wait() {
  std::unique_lock lock(cache_->mutex_);
  cache_->changed_.wait(lock, [&] { return entry_->ended || outcome_; });
  if (outcome_ && !outcome_->ok()) return outcome_->error();
  return entry_->model;
}

Result<std::shared_ptr<LoadedModel>> ModelCache::Handle::get() {
  {
    const std::lock_guard lock(cache_->mutex_);
    if (!entry_->ended && !outcome_)
      return Error{ErrorCode::kInvalidArgument, "the model is still loading; wait for it first"};
  }
  return wait();
}

void ModelCache::Handle::cancel() {
  const std::lock_guard lock(cache_->mutex_);
  if (entry_->ended || outcome_) return;
  outcome_ = Result<void>(Error{ErrorCode::kCancelled, "loading the model was cancelled"});
  if (std::none_of(cache_->handles_.begin(), cache_->handles_.end(), [&](const Handle* other) {
        return other->entry_ == entry_ && !other->outcome_ && !other->closing_;
      }))
    entry_->cancelled = true;
  cache_->changed_.notify_all();
}

// Calls the observer of a handle without the lock, unless it is being closed; the handle does not end
// meanwhile but by its own callback.
void ModelCache::tell(std::unique_lock<std::mutex>& lock, Handle& handle, const std::function<void()>& call) {
  ++handle.calls_;
  changed_.wait(lock, [&] { return handle.closing_ || handle.calling_ == std::thread::id(); });
  bool gone = false;
  if (!handle.closing_) {
    handle.calling_ = std::this_thread::get_id();
    handle.gone_ = &gone;
    lock.unlock();
    call();
    lock.lock();
    if (!gone) handle.calling_ = {};
  }
  if (!gone) --handle.calls_;
  changed_.notify_all();
}

void ModelCache::tell_progress(ModelEntry& entry, const char* stage, int percent) {
  std::unique_lock lock(mutex_);
  const std::list<Handle*> handles = handles_;
  for (Handle* handle : handles) {
    if (std::find(handles_.begin(), handles_.end(), handle) == handles_.end()) continue;
    if (handle->entry_.get() != &entry || handle->outcome_ || handle->closing_) continue;
    if (!handle->observer_.progress) continue;
    tell(lock, *handle, [&, progress = handle->observer_.progress] { progress(stage, percent); });
  }
}

void ModelCache::load(const std::shared_ptr<ModelEntry>& entry) {
  auto model =
      load_model(*entry, [&](const char* stage, int percent) { tell_progress(*entry, stage, percent); });
  const std::lock_guard lock(mutex_);
  entry->model = std::move(model);
  entry->ended = true;
  for (Handle* handle : handles_) {
    if (handle->entry_ != entry || handle->outcome_) continue;
    handle->outcome_ = entry->model.ok() ? Result<void>() : Result<void>(entry->model.error());
  }
  changed_.notify_all();
}

// Calls done() of all handles whose outcome is known and not told.
void ModelCache::tell_outcomes(std::unique_lock<std::mutex>& lock) {
  while (true) {
    const auto found = std::find_if(handles_.begin(), handles_.end(),
                                    [](const Handle* handle) { return handle->has_news(); });
    if (found == handles_.end()) return;
    Handle& handle = **found;
    auto done = std::exchange(handle.observer_.done, nullptr);
    tell(lock, handle, [&, outcome = *handle.outcome_] { done(outcome); });
  }
}

// Ends models that nobody uses. Whether some are left that will have to end later.
bool ModelCache::drop_unused(std::unique_lock<std::mutex>& lock) {
  bool waiting = false;
  for (auto it = entries_.begin(); it != entries_.end();) {
    const std::shared_ptr<ModelEntry> entry = *it;
    const bool held_by_sessions = entry->model.ok() && entry->model->use_count() > 1;
    const bool lingers =
        entry->is_alive() && !stopping_ &&
        std::chrono::duration<double>(Clock::now() - entry->unused_since).count() < entry->config.linger;
    if (entry->users > 0) {
      ++it;
      continue;
    }
    if (!entry->ended || held_by_sessions || lingers) {
      waiting = true;
      ++it;
      continue;
    }
    it = entries_.erase(it);
    lock.unlock();
    entry->loader.join();
    entry->model = Error{ErrorCode::kCancelled, "the model was unloaded"};
    lock.lock();
    it = entries_.begin();
  }
  return waiting;
}

void ModelCache::run() {
  std::unique_lock lock(mutex_);
  const auto something_to_do = [&] {
    return stopping_ ||
           std::any_of(handles_.begin(), handles_.end(),
                       [](const Handle* handle) { return handle->has_news(); }) ||
           std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) { return entry->users == 0; });
  };
  while (!stopping_) {
    tell_outcomes(lock);
    if (drop_unused(lock))
      changed_.wait_for(lock, kLookAgain);
    else
      changed_.wait(lock, something_to_do);
  }
}

ModelCache& model_cache() {
  // Never destroyed: threads of the host program may still hold sessions when static objects end.
  static ModelCache* const cache = new ModelCache();
  return *cache;
}

}  // namespace sdv2
