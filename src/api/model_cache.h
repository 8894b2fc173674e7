// SPDX-License-Identifier: LGPL-2.1-or-later
// The models of this process: who opens an equal configuration shares one, and a model stays loaded for a
// while after its last user has gone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "stream/loaded_model.h"

namespace sdv2 {

// What a user of a model is told while it loads, from threads of the engine, one call at a time: progress any
// number of times, then done once.
struct LoadObserver {
  std::function<void(const char* stage, int percent)> progress;
  std::function<void(const Result<void>&)> done;
};

class ModelCache {
 public:
  // One user's interest in a model. Closing it is its destruction.
  class Handle {
   public:
    // Waits for calls of its observer that are under way (unless made by this thread); none come after.
    ~Handle();
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    // Blocks until the load has ended; the model, or why there is none.
    Result<std::shared_ptr<LoadedModel>> wait();
    // The model; kInvalidArgument while it is loading.
    Result<std::shared_ptr<LoadedModel>> get();
    // Ends the load for this user; done() gets kCancelled. Nothing when it has ended.
    void cancel();

   private:
    friend class ModelCache;
    Handle() = default;
    // Whether done() is to be called.
    bool has_news() const { return outcome_ && observer_.done && !closing_; }

    ModelCache* cache_ = nullptr;
    std::shared_ptr<struct ModelEntry> entry_;
    LoadObserver observer_;
    std::optional<Result<void>> outcome_;  // what done() was or will be told
    std::thread::id calling_;              // the thread that runs a call of the observer
    int calls_ = 0;                        // of the observer, under way or waiting for their turn
    bool closing_ = false;                 // its end has begun: no call begins
    bool* gone_ = nullptr;                 // tells the call under way that it ended the handle
  };

  ModelCache();
  // No handle may be left.
  ~ModelCache();

  // Returns at once; the model is loaded by a thread.
  std::unique_ptr<Handle> open(const ModelConfig& config, LoadObserver observer);

 private:
  void run();
  void load(const std::shared_ptr<ModelEntry>& entry);
  void tell(std::unique_lock<std::mutex>& lock, Handle& handle, const std::function<void()>& call);
  void tell_progress(ModelEntry& entry, const char* stage, int percent);
  void tell_outcomes(std::unique_lock<std::mutex>& lock);
  bool drop_unused(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::shared_ptr<ModelEntry>> entries_;
  std::list<Handle*> handles_;
  bool stopping_ = false;
  std::thread keeper_;  // loads nothing: tells outcomes and drops what nobody uses
};

// The process' cache.
ModelCache& model_cache();

}  // namespace sdv2
