// SPDX-License-Identifier: LGPL-2.1-or-later
// Session calls through the table of functions.
#include "transform/engine_session.h"

#include <algorithm>

namespace sdv2 {

EngineStatus EngineModel::info(ModelInfo* info) const {
  char* json = nullptr;
  EngineStatus status = api_->take(api_->model_info(handle_, &json));
  if (!status.ok()) return status;
  const auto parsed = parse_model_info(json);
  api_->string_free(json);
  if (!parsed) return {SDV2_INTERNAL, "The engine's description of the model is no JSON object."};
  *info = *parsed;
  return {};
}

EngineStatus EngineSession::open(const std::string& settings) {
  const sdv2_session_observer observer = {sizeof(sdv2_session_observer), this, on_chunk_done};
  return api().take(api().session_open(model_->handle(), settings.c_str(), &observer, &handle_));
}

void EngineSession::on_chunk_done(void* user, const sdv2_chunk_info* info) {
  const auto* self = static_cast<EngineSession*>(user);
  self->listener_->chunk_done(self, *info);
}

EngineStatus EngineSession::set(const std::string& changes, int64_t* first_chunk) {
  sdv2_receipt receipt = {sizeof(sdv2_receipt), 0};
  EngineStatus status = api().take(api().session_set(handle_, changes.c_str(), &receipt));
  *first_chunk = receipt.chunk;
  return status;
}

uint32_t EngineSession::chunk_frames() const {
  return static_cast<uint32_t>(std::max(api().session_chunk_frames(handle_), 1));
}

EngineStatus EngineSession::put_frame(const sdv2_image& image) {
  return api().take(api().session_put_frame(handle_, &image));
}

EngineStatus EngineSession::submit(int64_t deadline_ns, int64_t* chunk) {
  return api().take(api().session_submit(handle_, deadline_ns, chunk));
}

EngineStatus EngineSession::read_frame(int64_t chunk, uint32_t frame, const sdv2_image& image) {
  return api().take(api().session_read_frame(handle_, chunk, static_cast<int32_t>(frame), &image));
}

// A chunk that failed, or that a flush has dropped meanwhile, has no room to give back: no error to speak of.
void EngineSession::release_chunk(int64_t chunk) { api().take(api().session_release_chunk(handle_, chunk)); }

// Both fail only for a session on a dead model, which has nothing to forget; the next put_frame tells.
void EngineSession::reset() { api().take(api().session_reset(handle_)); }
void EngineSession::flush() { api().take(api().session_flush(handle_)); }

sdv2_session_stats EngineSession::stats() const {
  sdv2_session_stats stats = {};
  stats.struct_size = sizeof stats;
  api().take(api().session_get_stats(handle_, &stats));
  return stats;
}

}  // namespace sdv2
