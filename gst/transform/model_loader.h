// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens engine and model in a thread of its own, so that no state change waits for weights.
#pragma once

#include <memory>
#include <string>

#include "transform/engine_session.h"

namespace sdv2 {

// Who learns how a load goes. Called from threads of the loader and the engine, one call at a time, with no
// lock held.
class LoadListener {
 public:
  // `stage`: what is being done; 0...100 percent of the whole.
  virtual void load_progress(const std::string& stage, int percent) = 0;
  virtual void load_done(const LoadedModel& model) = 0;
  virtual void load_failed(const EngineStatus& status) = 0;

 protected:
  ~LoadListener() = default;
};

// What to load. Equal requests are the same load.
struct LoadRequest {
  std::string engine;  // file
  std::string config;  // JSON for sdv2_model_open
  bool operator==(const LoadRequest&) const = default;
};

// Where the engine's messages go. Any thread.
using EngineLog = void (*)(void* user, sdv2_log_level level, const char* message);

// Not thread-safe itself: its owner's state changes call it, one at a time.
class ModelLoader {
 public:
  ModelLoader(LoadListener* listener, EngineLog log, sdv2_log_level log_level)
      : listener_(listener), log_(log), log_level_(log_level) {}
  ~ModelLoader() { stop(); }
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;

  // Begins to load. The load before has been stopped.
  void start(const LoadRequest& request);
  // Whether this is what is being loaded or has been loaded.
  bool holds(const LoadRequest& request) const;
  // Cancels the load, or forgets the model. After it returns the listener is not called any more. Waits at
  // most 100 ms for the engine; what takes longer ends in the background. True when the load was not over.
  bool stop();

 private:
  class Job;
  LoadListener* listener_;
  EngineLog log_;
  sdv2_log_level log_level_;
  std::shared_ptr<Job> job_;
};

}  // namespace sdv2
