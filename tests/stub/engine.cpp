// SPDX-License-Identifier: LGPL-2.1-or-later
// Process-wide state of the stub engine.
#include "stub/engine.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "stub/model.h"
#include "stub/session.h"
#include "stub/status.h"

namespace sdv2::stub {

using Json = nlohmann::json;

int64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Engine& Engine::instance() {
  // Never destroyed: threads of sessions that were not closed may outlive main.
  static auto* const engine = new Engine;
  return *engine;
}

Result<Program> Engine::program(std::initializer_list<const Json*> over) {
  Json merged = Json::object();
  if (const char* environment = std::getenv("SDV2_STUB_PROGRAM"); environment != nullptr) {
    SDV2_TRY(merged, parse_object(environment, "SDV2_STUB_PROGRAM"));
  }
  {
    const std::scoped_lock lock(mutex_);
    merged.update(program_);
  }
  for (const Json* each : over)
    if (each->is_object()) merged.update(*each);
  return parse_program(merged);
}

Result<void> Engine::set_program(const Json& object) {
  SDV2_TRY([[maybe_unused]] const Program checked, parse_program(object));
  const std::scoped_lock lock(mutex_);
  program_ = object;
  return {};
}

void Engine::reset() {
  const std::scoped_lock lock(mutex_);
  program_ = Json::object();
  cache_.clear();
  sessions_.clear();
  loads_ = 0;
  loads_released_ = false;
  virtual_now_ = 0;
}

std::shared_ptr<Model> Engine::use_model(const Json& config, const Json& stub, const Program& program) {
  const std::scoped_lock lock(mutex_);
  drop_expired();
  const std::string key = Json{config, stub, program_}.dump();
  Entry& entry = cache_[key];
  if (entry.model == nullptr) {
    entry.model = std::make_shared<Model>(key, config, stub, program);
    ++loads_;
  }
  ++entry.uses;
  return entry.model;
}

void Engine::add_use(Model& model) {
  const std::scoped_lock lock(mutex_);
  const auto found = cache_.find(model.key());
  if (found != cache_.end() && found->second.model.get() == &model) ++found->second.uses;
}

void Engine::end_use(Model& model) {
  const std::scoped_lock lock(mutex_);
  const auto found = cache_.find(model.key());
  if (found == cache_.end() || found->second.model.get() != &model || --found->second.uses > 0) return;
  found->second.expiry_ns =
      monotonic_ns() + static_cast<int64_t>(model.config()["linger"].get<double>() * 1e9);
  drop_expired();
}

void Engine::forget(const Model& model) {
  const std::scoped_lock lock(mutex_);
  const auto found = cache_.find(model.key());
  if (found != cache_.end() && found->second.model.get() == &model) cache_.erase(found);
}

void Engine::forget_unless_shared(const Model& model) {
  const std::scoped_lock lock(mutex_);
  const auto found = cache_.find(model.key());
  if (found != cache_.end() && found->second.model.get() == &model && found->second.uses <= 1)
    cache_.erase(found);
}

void Engine::drop_expired() {
  const int64_t now = monotonic_ns();
  std::erase_if(cache_,
                [&](const auto& each) { return each.second.uses == 0 && each.second.expiry_ns <= now; });
}

std::vector<std::shared_ptr<Model>> Engine::models() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<Model>> models;
  for (const auto& [key, entry] : cache_) models.push_back(entry.model);
  return models;
}

void Engine::add_session(const std::shared_ptr<Session>& session) {
  const std::scoped_lock lock(mutex_);
  session->set_index(static_cast<int>(sessions_.size()));
  sessions_.push_back(session);
  opened_.notify_all();
}

std::shared_ptr<Session> Engine::session(int index) {
  const std::scoped_lock lock(mutex_);
  const auto count = static_cast<int>(sessions_.size());
  if (index == -1) index = count - 1;
  return index >= 0 && index < count ? sessions_[static_cast<size_t>(index)].lock() : nullptr;
}

std::vector<std::shared_ptr<Session>> Engine::sessions() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<Session>> sessions;
  for (const auto& each : sessions_)
    if (auto session = each.lock()) sessions.push_back(std::move(session));
  return sessions;
}

bool Engine::wait_sessions(int count, int timeout_ms) {
  std::unique_lock lock(mutex_);
  return opened_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                          [&] { return static_cast<int>(sessions_.size()) >= count; });
}

void Engine::release_loads() {
  loads_released_ = true;
  for (const auto& model : models()) model->wake();
}

int Engine::loads() {
  const std::scoped_lock lock(mutex_);
  return loads_;
}

void Engine::set_log(sdv2_log_level level, void (*sink)(void*, sdv2_log_level, const char*), void* user) {
  const std::scoped_lock lock(log_mutex_);
  log_level_ = level;
  log_ = sink;
  log_user_ = user;
}

void Engine::log(sdv2_log_level level, const std::string& message) {
  const std::scoped_lock lock(log_mutex_);
  if (log_ != nullptr && level <= log_level_) log_(log_user_, level, message.c_str());
}

Result<void> Engine::start_trace() {
  const std::scoped_lock lock(trace_mutex_);
  if (trace_.has_value()) return invalid("a trace is being recorded already");
  trace_ = Json::array();
  return {};
}

Result<void> Engine::stop_trace(const char* path) {
  if (path == nullptr) return invalid("path is NULL");
  const std::scoped_lock lock(trace_mutex_);
  if (!trace_.has_value()) return invalid("no trace is being recorded; call sdv2_trace_start first");
  std::ofstream file(path);
  file << Json{{"traceEvents", *trace_}} << '\n';
  trace_.reset();
  file.close();
  if (!file) return Error{ErrorCode::kNotFound, "cannot write the trace to '" + std::string(path) + "'"};
  return {};
}

void Engine::trace(const std::string& name, int session, int64_t start_ns, int64_t end_ns) {
  const std::scoped_lock lock(trace_mutex_);
  if (!trace_.has_value()) return;
  trace_->push_back({{"name", name},
                     {"ph", "X"},
                     {"pid", 0},
                     {"tid", session},
                     {"ts", static_cast<double>(start_ns) / 1e3},
                     {"dur", static_cast<double>(end_ns - start_ns) / 1e3}});
}

}  // namespace sdv2::stub
