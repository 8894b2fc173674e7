// SPDX-License-Identifier: LGPL-2.1-or-later
// What the process has in common: the program, the cache of models, the list of sessions, the virtual clock,
// log and trace.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sdv2/sdv2.h"
#include "stub/program.h"
#include "stub/stub_control.h"

namespace sdv2::stub {

class Model;
class Session;

// CLOCK_MONOTONIC.
int64_t monotonic_ns();

class Engine {
 public:
  static Engine& instance();

  // The program for what is opened now: environment, sdv2_stub_program, then the given "stub" objects.
  Result<Program> program(std::initializer_list<const nlohmann::json*> over);
  Result<void> set_program(const nlohmann::json& object);
  void reset();

  // The model with an equal configuration and program, or a new one that is loading. Counts as one use.
  std::shared_ptr<Model> use_model(const nlohmann::json& config, const nlohmann::json& stub,
                                   const Program& program);
  // A session keeps a model that is in use already.
  void add_use(Model& model);
  void end_use(Model& model);
  // A model that failed is not given to anyone else; nor one whose only user cancelled the load.
  void forget(const Model& model);
  void forget_unless_shared(const Model& model);
  std::vector<std::shared_ptr<Model>> models();

  void add_session(const std::shared_ptr<Session>& session);
  // By the order of opening, -1 for the newest; nullptr when there is none.
  std::shared_ptr<Session> session(int index);
  std::vector<std::shared_ptr<Session>> sessions();
  bool wait_sessions(int count, int timeout_ms);

  bool loads_released() const { return loads_released_; }
  void release_loads();
  int loads();

  int64_t virtual_now() const { return virtual_now_; }
  void advance(int64_t nanoseconds) { virtual_now_ += nanoseconds; }

  std::atomic<int> open_models{0};
  std::atomic<int> open_sessions{0};

  void set_log(sdv2_log_level level, void (*sink)(void*, sdv2_log_level, const char*), void* user);
  void log(sdv2_log_level level, const std::string& message);

  Result<void> start_trace();
  Result<void> stop_trace(const char* path);
  void trace(const std::string& name, int session, int64_t start_ns, int64_t end_ns);

 private:
  struct Entry {
    std::shared_ptr<Model> model;
    int uses = 0;
    int64_t expiry_ns = 0;  // with no uses
  };

  void drop_expired();

  mutable std::mutex mutex_;
  std::condition_variable opened_;
  nlohmann::json program_ = nlohmann::json::object();
  std::map<std::string, Entry> cache_;
  std::vector<std::weak_ptr<Session>> sessions_;
  int loads_ = 0;
  std::atomic<bool> loads_released_{false};
  std::atomic<int64_t> virtual_now_{0};

  std::mutex log_mutex_;
  sdv2_log_level log_level_ = SDV2_LOG_ERROR;
  void (*log_)(void*, sdv2_log_level, const char*) = nullptr;
  void* log_user_ = nullptr;

  std::mutex trace_mutex_;
  std::optional<nlohmann::json> trace_;  // events while recording
};

}  // namespace sdv2::stub
