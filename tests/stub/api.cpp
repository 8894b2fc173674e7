// SPDX-License-Identifier: LGPL-2.1-or-later
// The C ABI of the stub engine: handles, checks, and nothing else.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "stub/engine.h"
#include "stub/model.h"
#include "stub/session.h"
#include "stub/settings.h"
#include "stub/status.h"

struct sdv2_model {
  std::shared_ptr<sdv2::stub::ModelHandle> handle;
};

struct sdv2_session {
  std::shared_ptr<sdv2::stub::Session> session;
};

namespace {

using sdv2::Result;
using sdv2::stub::Engine;
using sdv2::stub::guarded;
using sdv2::stub::invalid;
using sdv2::stub::ModelHandle;
using sdv2::stub::Session;
using Json = nlohmann::json;

// Runs a call on a session that may be NULL. The session lives until the call returns, even if it is closed
// meanwhile.
template <class Call>
sdv2_status* on_session(sdv2_session* session, Call&& call) noexcept {
  return guarded([&]() -> Result<void> {
    if (session == nullptr) return invalid("session is NULL");
    const std::shared_ptr<Session> alive = session->session;
    return call(*alive);
  });
}

template <class Call>
sdv2_status* on_model(sdv2_model* model, Call&& call) noexcept {
  return guarded([&]() -> Result<void> {
    if (model == nullptr) return invalid("model is NULL");
    const std::shared_ptr<ModelHandle> alive = model->handle;
    return call(*alive);
  });
}

}  // namespace

int sdv2_abi_supported(int abi_version) {
  const auto program = Engine::instance().program({});
  return abi_version == (program.ok() ? program->abi_version : SDV2_ABI_VERSION) ? 1 : 0;
}

const char* sdv2_engine_version(void) { return SDV2_VERSION; }

void sdv2_set_log(sdv2_log_level level, void (*log)(void*, sdv2_log_level, const char*), void* user) {
  Engine::instance().set_log(level, log, user);
}

sdv2_status* sdv2_model_open(const char* config, const sdv2_load_observer* observer, sdv2_model** model) {
  return guarded([&]() -> Result<void> {
    if (model == nullptr) return invalid("model is NULL");
    *model = nullptr;
    SDV2_TRY(const sdv2_load_observer checked, sdv2::stub::check_observer(observer));
    SDV2_TRY(const Json given, sdv2::stub::parse_object(config, "config"));
    SDV2_TRY(const Json whole, sdv2::stub::complete_config(given));
    const Json stub = given.value("stub", Json::object());
    SDV2_TRY(const sdv2::stub::Program program, Engine::instance().program({&stub}));
    auto shared = Engine::instance().use_model(whole, stub, program);
    const auto handle = std::make_shared<ModelHandle>(std::move(shared), checked);
    *model = new sdv2_model{handle};
    // The callbacks begin here, and may close the model at once.
    handle->start();
    return {};
  });
}

sdv2_status* sdv2_model_wait(sdv2_model* model) {
  return on_model(model, [](ModelHandle& handle) { return handle.wait(); });
}

void sdv2_model_cancel(sdv2_model* model) {
  if (model != nullptr) model->handle->cancel();
}

sdv2_status* sdv2_model_info(sdv2_model* model, char** json) {
  return on_model(model, [&](ModelHandle& handle) -> Result<void> {
    if (json == nullptr) return invalid("json is NULL");
    *json = nullptr;
    SDV2_TRY(const auto loaded, handle.loaded());
    *json = sdv2::stub::new_string(loaded->info().dump());
    return {};
  });
}

void sdv2_model_close(sdv2_model* model) {
  if (model == nullptr) return;
  model->handle->close();
  delete model;
}

sdv2_status* sdv2_session_open(sdv2_model* model, const char* settings, const sdv2_session_observer* observer,
                               sdv2_session** session) {
  return on_model(model, [&](ModelHandle& handle) -> Result<void> {
    if (session == nullptr) return invalid("session is NULL");
    *session = nullptr;
    SDV2_TRY(const auto loaded, handle.loaded());
    SDV2_TRY(auto opened, Session::open(loaded, settings, observer));
    *session = new sdv2_session{std::move(opened)};
    return {};
  });
}

sdv2_status* sdv2_session_set(sdv2_session* session, const char* changes, sdv2_receipt* receipt) {
  return on_session(session, [&](Session& self) -> Result<void> {
    if (receipt != nullptr && receipt->struct_size < sizeof *receipt)
      return invalid("receipt: struct_size is not set");
    SDV2_TRY(const int64_t chunk, self.set(changes));
    if (receipt != nullptr) receipt->chunk = chunk;
    return {};
  });
}

int32_t sdv2_session_chunk_frames(sdv2_session* session) {
  return session == nullptr ? 0 : session->session->chunk_frames();
}

sdv2_status* sdv2_session_put_frame(sdv2_session* session, const sdv2_image* image) {
  return on_session(session, [&](Session& self) { return self.put_frame(image); });
}

sdv2_status* sdv2_session_submit(sdv2_session* session, int64_t deadline_ns, int64_t* chunk) {
  return on_session(session, [&](Session& self) -> Result<void> {
    SDV2_TRY(const int64_t number, self.submit(deadline_ns));
    if (chunk != nullptr) *chunk = number;
    return {};
  });
}

sdv2_status* sdv2_session_read_frame(sdv2_session* session, int64_t chunk, int32_t frame,
                                     const sdv2_image* image) {
  return on_session(session, [&](Session& self) { return self.read_frame(chunk, frame, image); });
}

sdv2_status* sdv2_session_release_chunk(sdv2_session* session, int64_t chunk) {
  return on_session(session, [&](Session& self) { return self.release_chunk(chunk); });
}

sdv2_status* sdv2_session_drain(sdv2_session* session, int64_t timeout_ms) {
  return on_session(session, [&](Session& self) { return self.drain(timeout_ms); });
}

sdv2_status* sdv2_session_reset(sdv2_session* session) {
  return on_session(session, [](Session& self) { return self.reset(); });
}

sdv2_status* sdv2_session_flush(sdv2_session* session) {
  return on_session(session, [](Session& self) { return self.flush(); });
}

sdv2_status* sdv2_session_get_stats(sdv2_session* session, sdv2_session_stats* stats) {
  return on_session(session, [&](Session& self) -> Result<void> {
    if (stats == nullptr) return invalid("stats is NULL");
    if (stats->struct_size < sizeof *stats) return invalid("stats: struct_size is not set");
    const size_t size = stats->struct_size;
    *stats = self.stats();
    stats->struct_size = size;
    return {};
  });
}

sdv2_status* sdv2_session_get_stats_json(sdv2_session* session, char** json) {
  return on_session(session, [&](Session& self) -> Result<void> {
    if (json == nullptr) return invalid("json is NULL");
    *json = sdv2::stub::new_string(self.stats_json().dump());
    return {};
  });
}

void sdv2_session_close(sdv2_session* session) {
  if (session == nullptr) return;
  session->session->close();
  delete session;
}

sdv2_status* sdv2_trace_start(void) {
  return guarded([] { return Engine::instance().start_trace(); });
}

sdv2_status* sdv2_trace_stop(const char* path) {
  return guarded([&] { return Engine::instance().stop_trace(path); });
}
