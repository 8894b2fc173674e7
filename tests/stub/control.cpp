// SPDX-License-Identifier: LGPL-2.1-or-later
// The calls by which a test steers the stub engine.
#include "stub/stub_control.h"

#include <algorithm>
#include <cstring>

#include "stub/engine.h"
#include "stub/model.h"
#include "stub/session.h"
#include "stub/settings.h"
#include "stub/status.h"

using sdv2::Error;
using sdv2::stub::Engine;
using Json = nlohmann::json;

int sdv2_stub_program(const char* json) {
  const auto object = sdv2::stub::parse_object(json, "program");
  return object.ok() && Engine::instance().set_program(*object).ok() ? 1 : 0;
}

void sdv2_stub_reset(void) { Engine::instance().reset(); }

void sdv2_stub_release_loads(void) { Engine::instance().release_loads(); }

int sdv2_stub_wait_sessions(int count, int timeout_ms) {
  return Engine::instance().wait_sessions(count, timeout_ms) ? 1 : 0;
}

int sdv2_stub_wait_submitted(int session, int64_t count, int timeout_ms) {
  const auto found = Engine::instance().session(session);
  return found != nullptr && found->wait_submitted(count, timeout_ms) ? 1 : 0;
}

int sdv2_stub_step(int session, int count) {
  const auto found = Engine::instance().session(session);
  return found != nullptr && found->step(count) ? 1 : 0;
}

int sdv2_stub_finish(int session, int64_t chunk) {
  const auto found = Engine::instance().session(session);
  return found != nullptr && found->finish(chunk, std::nullopt) ? 1 : 0;
}

int sdv2_stub_fail(int session, int64_t chunk, sdv2_code code, const char* message) {
  const auto found = Engine::instance().session(session);
  return found != nullptr && found->finish(chunk, Error{sdv2::stub::from_code(code), message}) ? 1 : 0;
}

void sdv2_stub_kill_devices(const char* message) {
  for (const auto& model : Engine::instance().models()) model->kill(message);
  for (const auto& session : Engine::instance().sessions()) session->settle();
}

int64_t sdv2_stub_now(void) { return Engine::instance().virtual_now(); }

void sdv2_stub_advance(int64_t nanoseconds) {
  Engine::instance().advance(nanoseconds);
  for (const auto& session : Engine::instance().sessions()) session->settle();
}

char* sdv2_stub_session(int session) {
  const auto found = Engine::instance().session(session);
  if (found == nullptr) return nullptr;
  Json json = found->stats_json();
  json["under_way"] = found->under_way();
  return sdv2::stub::new_string(json.dump());
}

int sdv2_stub_expect(const char* settings, const uint8_t rgb[3], uint8_t expected[3]) {
  const auto given = sdv2::stub::parse_object(settings, "settings");
  if (!given.ok()) return 0;
  const Json defaults = sdv2::stub::default_settings({});
  const auto whole = sdv2::stub::change_settings(defaults, *given, false);
  if (!whole.ok()) return 0;
  const auto pixel =
      sdv2::stub::restyle({rgb[0], rgb[1], rgb[2], 255}, sdv2::stub::look_of(*whole, defaults));
  std::copy_n(pixel.begin(), 3, expected);
  return 1;
}

sdv2_stub_counts sdv2_stub_count(void) {
  Engine& engine = Engine::instance();
  return {sdv2::stub::live_objects(), engine.open_models.load(), engine.open_sessions.load(), engine.loads()};
}
