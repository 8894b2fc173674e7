// SPDX-License-Identifier: LGPL-2.1-or-later
// Header-only C++20 wrapper of the C ABI in sdv2.h: an engine that is linked or opened at run time, models
// and sessions that close themselves.
//
//   auto engine = sdv2::client::Engine::open("libsdv2engine.so.0");
//   if (!engine.ok()) return fail(engine.status().message());
//   auto model = engine->open_model(R"({"model": "random:tiny"})");
//   if (!model.ok() || !model->wait().ok()) …
//   auto session = model->open_session(R"({"steps": 2})", [](const sdv2_chunk_info& chunk) { … });
//
// Errors are values, because the most frequent ones (SDV2_BUSY, SDV2_CANCELLED) are part of the normal flow:
// a call returns a Status, or an Expected<T> where it has a result. Nothing here throws but std::bad_alloc.
// Threads, ownership and the meaning of every call are those of sdv2.h. Callbacks must not throw.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "sdv2/sdv2.h"

namespace sdv2::client {

// Every function of the ABI, without the prefix sdv2_.
// clang-format off
#define SDV2_CLIENT_FUNCTIONS(X)                                                                          \
  X(abi_supported) X(engine_version) X(status_code) X(status_message) X(status_free) X(string_free)       \
  X(set_log) X(trace_start) X(trace_stop)                                                                 \
  X(model_open) X(model_wait) X(model_cancel) X(model_info) X(model_close)                                \
  X(session_open) X(session_set) X(session_chunk_frames) X(session_put_frame) X(session_submit)           \
  X(session_read_frame) X(session_release_chunk) X(session_drain) X(session_reset) X(session_flush)       \
  X(session_get_stats) X(session_get_stats_json) X(session_close)
// clang-format on

struct Functions {
// NOLINTNEXTLINE(bugprone-macro-parentheses)
#define SDV2_CLIENT_MEMBER(name) decltype(&::sdv2_##name) name = nullptr;
  SDV2_CLIENT_FUNCTIONS(SDV2_CLIENT_MEMBER)
#undef SDV2_CLIENT_MEMBER
};

// How a call ended.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(sdv2_code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == SDV2_OK; }
  sdv2_code code() const { return code_; }
  const std::string& message() const { return message_; }

  // A status that stays the engine's.
  static Status copy(const Functions& functions, const sdv2_status* status) {
    if (status == nullptr) return {};
    return {functions.status_code(status), functions.status_message(status)};
  }
  // A status that a call gave; it is freed.
  static Status take(const Functions& functions, sdv2_status* status) {
    Status copied = copy(functions, status);
    functions.status_free(status);
    return copied;
  }

 private:
  sdv2_code code_ = SDV2_OK;
  std::string message_;
};

// A value, or the status that says why there is none.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Expected(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

// A struct of the ABI, zero but for its size.
template <class T>
T sized() {
  T value{};
  value.struct_size = sizeof(T);
  return value;
}

// Called from engine threads; either may be empty. `done` may be called before open_model returns.
struct LoadObserver {
  std::function<void(const char* stage, int percent)> progress;
  std::function<void(const Status& status)> done;
};

using ChunkObserver = std::function<void(const sdv2_chunk_info& info)>;

// One stream. Closed by the destructor, which waits for a callback under way and must not run inside one.
class Session {
 public:
  // The first chunk that is made with the changes.
  Expected<int64_t> set(const std::string& changes) {
    auto receipt = sized<sdv2_receipt>();
    Status status = take(api().session_set(raw(), changes.c_str(), &receipt));
    if (!status.ok()) return status;
    return receipt.chunk;
  }
  int32_t chunk_frames() { return api().session_chunk_frames(raw()); }
  Status put_frame(const sdv2_image& image) { return take(api().session_put_frame(raw(), &image)); }
  // The chunk's number.
  Expected<int64_t> submit(int64_t deadline_ns = std::numeric_limits<int64_t>::max()) {
    int64_t chunk = 0;
    Status status = take(api().session_submit(raw(), deadline_ns, &chunk));
    if (!status.ok()) return status;
    return chunk;
  }
  Status read_frame(int64_t chunk, int32_t frame, const sdv2_image& image) {
    return take(api().session_read_frame(raw(), chunk, frame, &image));
  }
  Status release_chunk(int64_t chunk) { return take(api().session_release_chunk(raw(), chunk)); }
  Status drain(int64_t timeout_ms) { return take(api().session_drain(raw(), timeout_ms)); }
  Status reset() { return take(api().session_reset(raw())); }
  Status flush() { return take(api().session_flush(raw())); }
  Expected<sdv2_session_stats> stats() {
    auto stats = sized<sdv2_session_stats>();
    Status status = take(api().session_get_stats(raw(), &stats));
    if (!status.ok()) return status;
    return stats;
  }
  Expected<std::string> stats_json();
  sdv2_session* raw() const { return state_->handle; }

 private:
  friend class Model;
  struct State {
    std::shared_ptr<const Functions> functions;
    ChunkObserver chunk_done;
    sdv2_session* handle = nullptr;

    State(std::shared_ptr<const Functions> table, ChunkObserver observer)
        : functions(std::move(table)), chunk_done(std::move(observer)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { functions->session_close(handle); }
    static void on_chunk(void* user, const sdv2_chunk_info* info) noexcept {
      const auto* state = static_cast<const State*>(user);
      if (state->chunk_done) state->chunk_done(*info);
    }
  };

  explicit Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
  const Functions& api() const { return *state_->functions; }
  Status take(sdv2_status* status) const { return Status::take(api(), status); }

  std::unique_ptr<State> state_;
};

// Takes a string that a call gave.
inline std::string take_string(const Functions& functions, char* string) {
  std::string copied = string == nullptr ? "" : string;
  functions.string_free(string);
  return copied;
}

inline Expected<std::string> Session::stats_json() {
  char* json = nullptr;
  Status status = take(api().session_get_stats_json(raw(), &json));
  if (!status.ok()) return status;
  return take_string(api(), json);
}

// One handle on a model. Closed by the destructor, which cancels a load under way and waits for its
// callbacks. Sessions may outlive it.
class Model {
 public:
  Status wait() { return take(api().model_wait(raw())); }
  void cancel() { api().model_cancel(raw()); }
  Expected<std::string> info() {
    char* json = nullptr;
    Status status = take(api().model_info(raw(), &json));
    if (!status.ok()) return status;
    return take_string(api(), json);
  }
  Expected<Session> open_session(const std::string& settings, ChunkObserver chunk_done = {}) {
    auto state = std::make_unique<Session::State>(state_->functions, std::move(chunk_done));
    auto observer = sized<sdv2_session_observer>();
    observer.user = state.get();
    observer.chunk_done = &Session::State::on_chunk;
    Status status = take(api().session_open(raw(), settings.c_str(), &observer, &state->handle));
    if (!status.ok()) return status;
    return Session(std::move(state));
  }
  sdv2_model* raw() const { return state_->handle; }

 private:
  friend class Engine;
  struct State {
    std::shared_ptr<const Functions> functions;
    LoadObserver observer;
    sdv2_model* handle = nullptr;

    State(std::shared_ptr<const Functions> table, LoadObserver load)
        : functions(std::move(table)), observer(std::move(load)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { functions->model_close(handle); }
    static void on_progress(void* user, const char* stage, int percent) noexcept {
      const auto* state = static_cast<const State*>(user);
      if (state->observer.progress) state->observer.progress(stage, percent);
    }
    static void on_done(void* user, const sdv2_status* status) noexcept {
      const auto* state = static_cast<const State*>(user);
      if (state->observer.done) state->observer.done(Status::copy(*state->functions, status));
    }
  };

  explicit Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
  const Functions& api() const { return *state_->functions; }
  Status take(sdv2_status* status) const { return Status::take(api(), status); }

  std::unique_ptr<State> state_;
};

// The functions of one engine library. Cheap to copy; the library is never unloaded.
class Engine {
 public:
  // Opens a library by path or name. Errors: SDV2_NOT_FOUND (no such library, or a function is missing in
  // it), SDV2_UNSUPPORTED (it does not serve this header's version).
  static Expected<Engine> open(const std::string& path) {
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
      return Status(SDV2_NOT_FOUND, std::string("cannot open the engine: ") + ::dlerror());
    auto functions = std::make_shared<Functions>();
    const char* missing = nullptr;
    const auto find = [&](auto& function, const char* name) {
      void* symbol = ::dlsym(library, name);
      if (symbol == nullptr && missing == nullptr) missing = name;
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
    };
#define SDV2_CLIENT_FIND(name) find(functions->name, "sdv2_" #name);
    SDV2_CLIENT_FUNCTIONS(SDV2_CLIENT_FIND)
#undef SDV2_CLIENT_FIND
    if (missing != nullptr)
      return Status(SDV2_NOT_FOUND,
                    "'" + path + "' is no engine of this version: " + missing + " is missing");
    return checked(std::move(functions), path);
  }

  // The engine that the program itself links.
  static Expected<Engine> linked() {
    auto functions = std::make_shared<Functions>();
#define SDV2_CLIENT_LINK(name) functions->name = &::sdv2_##name;
    SDV2_CLIENT_FUNCTIONS(SDV2_CLIENT_LINK)
#undef SDV2_CLIENT_LINK
    return checked(std::move(functions), "the linked engine");
  }

  const char* version() const { return functions_->engine_version(); }
  const Functions& functions() const { return *functions_; }

  // Begins to load a model; see Model::wait.
  Expected<Model> open_model(const std::string& config, LoadObserver observer = {}) const {
    auto state = std::make_unique<Model::State>(functions_, std::move(observer));
    auto callbacks = sized<sdv2_load_observer>();
    callbacks.user = state.get();
    callbacks.progress = &Model::State::on_progress;
    callbacks.done = &Model::State::on_done;
    Status status =
        Status::take(*functions_, functions_->model_open(config.c_str(), &callbacks, &state->handle));
    if (!status.ok()) return status;
    return Model(std::move(state));
  }

  Status trace_start() const { return Status::take(*functions_, functions_->trace_start()); }
  Status trace_stop(const std::string& path) const {
    return Status::take(*functions_, functions_->trace_stop(path.c_str()));
  }

 private:
  explicit Engine(std::shared_ptr<const Functions> functions) : functions_(std::move(functions)) {}

  static Expected<Engine> checked(std::shared_ptr<const Functions> functions, const std::string& name) {
    if (functions->abi_supported(SDV2_ABI_VERSION) == 0)
      return Status(SDV2_UNSUPPORTED, name + " (version " + functions->engine_version() +
                                          ") does not support version " + std::to_string(SDV2_ABI_VERSION) +
                                          " of the interface; install a plugin and engine of one release");
    return Engine(std::move(functions));
  }

  std::shared_ptr<const Functions> functions_;
};

}  // namespace sdv2::client

#undef SDV2_CLIENT_FUNCTIONS
