// SPDX-License-Identifier: LGPL-2.1-or-later
// The sdv2_session_* calls.
#include "stream/session.h"

#include <algorithm>
#include <cstring>

#include "api/handles.h"
#include "api/status.h"
#include "base/enum_number.h"

using sdv2::enum_number;
using sdv2::guarded;
using sdv2::invalid;
using sdv2::Session;
using sdv2::to_status;

namespace {

template <class T>
sdv2_status* give(const sdv2::Result<T>& result, T* target) {
  if (!result.ok()) return to_status(result.error());
  if (target != nullptr) *target = *result;
  return nullptr;
}

sdv2::Result<sdv2::ImageSpec> to_spec(const sdv2_image& image) {
  using sdv2::Error;
  using sdv2::ErrorCode;
  if (image.struct_size < sizeof(sdv2_image))
    return Error{ErrorCode::kInvalidArgument, "image.struct_size is not set"};
  const int format = enum_number(image.format);
  const int matrix = enum_number(image.matrix);
  const int range = enum_number(image.range);
  if (format < SDV2_FORMAT_RGB || format > SDV2_FORMAT_UYVY)
    return Error{ErrorCode::kInvalidArgument,
                 "image.format is " + std::to_string(format) + ", no known format"};
  if (matrix < SDV2_MATRIX_RGB || matrix > SDV2_MATRIX_BT2020)
    return Error{ErrorCode::kInvalidArgument,
                 "image.matrix is " + std::to_string(matrix) + ", no known matrix"};
  if (range != SDV2_RANGE_FULL && range != SDV2_RANGE_LIMITED)
    return Error{ErrorCode::kInvalidArgument, "image.range is " + std::to_string(range) + ", no known range"};
  // The enumerators of both stand in the same order.
  return sdv2::ImageSpec{.format = static_cast<sdv2::PixelFormat>(format - SDV2_FORMAT_RGB),
                         .matrix = static_cast<sdv2::ColorMatrix>(matrix),
                         .range = static_cast<sdv2::ColorRange>(range),
                         .size = {image.width, image.height}};
}

static_assert(static_cast<int>(sdv2::ChunkShow::kSource) == SDV2_SHOW_SOURCE);
static_assert(static_cast<int>(sdv2::PixelFormat::kUyvy) == SDV2_FORMAT_UYVY - SDV2_FORMAT_RGB);
static_assert(static_cast<int>(sdv2::PixelFormat::kI420) == SDV2_FORMAT_I420 - SDV2_FORMAT_RGB);
static_assert(static_cast<int>(sdv2::ColorMatrix::kBt2020) == SDV2_MATRIX_BT2020);
static_assert(static_cast<int>(sdv2::ColorRange::kLimited) == SDV2_RANGE_LIMITED);

template <class View>
sdv2::Result<View> to_view(const sdv2_image& image) {
  SDV2_TRY(const sdv2::ImageSpec spec, to_spec(image));
  return View{spec,
              {image.planes[0], image.planes[1], image.planes[2]},
              {image.strides[0], image.strides[1], image.strides[2]}};
}

sdv2_chunk_info to_info(const sdv2::ChunkReport& report) {
  return {.struct_size = sizeof(sdv2_chunk_info),
          .chunk = report.chunk,
          .generation = report.generation,
          .code = report.result.ok() ? SDV2_OK : sdv2::to_code(report.result.error().code),
          .message = report.result.ok() ? "" : report.result.error().message.c_str(),
          .frames = report.frames,
          .steps = report.steps,
          .noise_scale = report.noise_scale,
          .submit_ns = report.submit_ns,
          .start_ns = report.start_ns,
          .done_ns = report.done_ns,
          .rung = report.rung,
          .show = static_cast<sdv2_show>(report.show)};
}

// Copies what both sides know of a struct that begins with its size, and keeps the caller's size.
template <class Struct>
sdv2_status* fill(Struct* target, Struct value, const char* what) {
  if (target == nullptr || target->struct_size < sizeof(size_t)) return invalid(what);
  const size_t size = std::min(target->struct_size, sizeof(Struct));
  const size_t callers = target->struct_size;
  std::memcpy(target, &value, size);
  target->struct_size = callers;
  return nullptr;
}

// Runs a call on a session. The session lives until the call returns, even when it is closed meanwhile.
template <class Call>
sdv2_status* on_session(sdv2_session* session, Call&& call) {
  return guarded([&]() -> sdv2_status* {
    if (session == nullptr) return invalid("session is NULL");
    const std::shared_ptr<Session> alive = session->session;
    return call(*alive);
  });
}

}  // namespace

sdv2_status* sdv2_session_open(sdv2_model* model, const char* settings, const sdv2_session_observer* observer,
                               sdv2_session** session) {
  return guarded([&]() -> sdv2_status* {
    if (session == nullptr) return invalid("sdv2_session_open: session is NULL");
    *session = nullptr;
    if (model == nullptr || settings == nullptr)
      return invalid("sdv2_session_open: model or settings is NULL");
    if (observer != nullptr && observer->struct_size < sizeof(sdv2_session_observer))
      return invalid("sdv2_session_open: observer->struct_size is not set");
    const auto loaded = model->handle->get();
    if (!loaded.ok()) return to_status(loaded.error());
    std::function<void(const sdv2::ChunkReport&)> done;
    if (observer != nullptr && observer->chunk_done != nullptr)
      done = [c = *observer](const sdv2::ChunkReport& report) {
        const sdv2_chunk_info info = to_info(report);
        c.chunk_done(c.user, &info);
      };
    auto opened = sdv2::Session::open(*loaded, settings, std::move(done));
    if (!opened.ok()) return to_status(opened.error());
    *session = new sdv2_session{*std::move(opened)};
    return nullptr;
  });
}

sdv2_status* sdv2_session_set(sdv2_session* session, const char* changes, sdv2_receipt* receipt) {
  return on_session(session, [&](Session& self) -> sdv2_status* {
    if (changes == nullptr) return invalid("sdv2_session_set: an argument is NULL");
    if (receipt != nullptr && receipt->struct_size < sizeof(sdv2_receipt))
      return invalid("sdv2_session_set: receipt->struct_size is not set");
    return give(self.set(changes), receipt == nullptr ? nullptr : &receipt->chunk);
  });
}

int32_t sdv2_session_chunk_frames(sdv2_session* session) {
  return session == nullptr ? 0 : session->session->chunk_frames();
}

sdv2_status* sdv2_session_put_frame(sdv2_session* session, const sdv2_image* image) {
  return on_session(session, [&](Session& self) -> sdv2_status* {
    if (image == nullptr) return invalid("sdv2_session_put_frame: an argument is NULL");
    const auto view = to_view<sdv2::ImageView>(*image);
    return to_status(view.ok() ? self.put_frame(*view) : sdv2::Result<void>(view.error()));
  });
}

sdv2_status* sdv2_session_submit(sdv2_session* session, int64_t deadline_ns, int64_t* chunk) {
  return on_session(session,
                    [&](Session& self) -> sdv2_status* { return give(self.submit(deadline_ns), chunk); });
}

sdv2_status* sdv2_session_read_frame(sdv2_session* session, int64_t chunk, int32_t frame,
                                     const sdv2_image* image) {
  return on_session(session, [&](Session& self) -> sdv2_status* {
    if (image == nullptr) return invalid("sdv2_session_read_frame: an argument is NULL");
    const auto view = to_view<sdv2::MutableImageView>(*image);
    return to_status(view.ok() ? self.read_frame(chunk, frame, *view) : sdv2::Result<void>(view.error()));
  });
}

sdv2_status* sdv2_session_release_chunk(sdv2_session* session, int64_t chunk) {
  return on_session(session,
                    [&](Session& self) -> sdv2_status* { return to_status(self.release_chunk(chunk)); });
}

sdv2_status* sdv2_session_drain(sdv2_session* session, int64_t timeout_ms) {
  return on_session(session,
                    [&](Session& self) -> sdv2_status* { return to_status(self.drain(timeout_ms)); });
}

sdv2_status* sdv2_session_reset(sdv2_session* session) {
  return on_session(session, [&](Session& self) -> sdv2_status* { return to_status(self.reset()); });
}

sdv2_status* sdv2_session_flush(sdv2_session* session) {
  return on_session(session, [&](Session& self) -> sdv2_status* { return to_status(self.flush()); });
}

sdv2_status* sdv2_session_get_stats(sdv2_session* session, sdv2_session_stats* stats) {
  return on_session(session, [&](Session& self) -> sdv2_status* {
    const sdv2::SessionStats now = self.stats();
    return fill(stats,
                sdv2_session_stats{.struct_size = sizeof(sdv2_session_stats),
                                   .generation = now.generation,
                                   .chunks_submitted = now.chunks_submitted,
                                   .chunks_done = now.chunks_done,
                                   .chunks_failed = now.chunks_failed,
                                   .chunks_dropped = now.chunks_dropped,
                                   .chunks_skipped = now.chunks_skipped,
                                   .frames_in = now.frames_in,
                                   .frames_out = now.frames_out,
                                   .latency_p50_ns = now.latency_ns(0.5),
                                   .latency_p95_ns = now.latency_ns(0.95),
                                   .latency_p99_ns = now.latency_ns(0.99),
                                   .first_frame_ns = now.first_frame_ns,
                                   .chunk_interval_ns = now.chunk_interval_ns(),
                                   .chunks_under_way = now.chunks_under_way,
                                   .noise_scale = now.noise_scale,
                                   .rung = now.rung},
                "sdv2_session_get_stats: stats->struct_size is not set");
  });
}

sdv2_status* sdv2_session_get_stats_json(sdv2_session* session, char** json) {
  return on_session(session, [&](Session& self) -> sdv2_status* {
    if (json == nullptr) return invalid("sdv2_session_get_stats_json: an argument is NULL");
    *json = sdv2::to_c_string(self.stats_json());
    return nullptr;
  });
}

void sdv2_session_close(sdv2_session* session) {
  if (session == nullptr) return;
  session->session->close();
  delete session;
}
