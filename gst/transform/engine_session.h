// SPDX-License-Identifier: LGPL-2.1-or-later
// A loaded model and a session on it, as C++ values that close what they opened.
#pragma once

#include <memory>
#include <string>

#include "transform/engine_api.h"
#include "transform/model_info.h"

namespace sdv2 {

// A model handle. Closing may wait for callbacks of this handle, so the last owner lets go without a lock.
class EngineModel {
 public:
  EngineModel(std::shared_ptr<const EngineApi> api, sdv2_model* handle)
      : api_(std::move(api)), handle_(handle) {}
  EngineModel(const EngineModel&) = delete;
  EngineModel& operator=(const EngineModel&) = delete;
  ~EngineModel() { api_->model_close(handle_); }

  const EngineApi& api() const { return *api_; }
  sdv2_model* handle() const { return handle_; }
  // What the engine says of it now.
  EngineStatus info(ModelInfo* info) const;

 private:
  std::shared_ptr<const EngineApi> api_;
  sdv2_model* handle_;
};

// A model that is ready.
struct LoadedModel {
  std::shared_ptr<EngineModel> model;
  ModelInfo info;
};

class EngineSession;

// Who learns that chunks are finished. Called in threads of the engine; must not block.
class ChunkListener {
 public:
  virtual void chunk_done(const EngineSession* session, const sdv2_chunk_info& info) = 0;

 protected:
  ~ChunkListener() = default;
};

// One stream in the engine. The calls are those of sdv2.h. The listener outlives the session; the last owner
// lets go without a lock, since closing waits for a callback under way.
class EngineSession {
 public:
  explicit EngineSession(std::shared_ptr<EngineModel> model, ChunkListener* listener)
      : model_(std::move(model)), listener_(listener) {}
  EngineSession(const EngineSession&) = delete;
  EngineSession& operator=(const EngineSession&) = delete;
  ~EngineSession() {
    if (handle_ != nullptr) api().session_close(handle_);
  }

  // Once, before the other calls.
  EngineStatus open(const std::string& settings);

  // `first_chunk`: the first chunk made with the changes.
  EngineStatus set(const std::string& changes, int64_t* first_chunk);
  uint32_t chunk_frames() const;
  EngineStatus put_frame(const sdv2_image& image);
  EngineStatus submit(int64_t deadline_ns, int64_t* chunk);
  EngineStatus read_frame(int64_t chunk, uint32_t frame, const sdv2_image& image);
  void release_chunk(int64_t chunk);
  void reset();
  void flush();
  sdv2_session_stats stats() const;

 private:
  const EngineApi& api() const { return model_->api(); }
  static void on_chunk_done(void* user, const sdv2_chunk_info* info);

  std::shared_ptr<EngineModel> model_;
  ChunkListener* listener_;
  sdv2_session* handle_ = nullptr;
};

}  // namespace sdv2
