// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: the latency that is promised, and the statistics.
#include <algorithm>

#include "transform/transform_stream.h"

namespace sdv2 {

// With the mutex held. The first frame of a chunk waits for the last one, and then for the engine; the
// longest chunk counts. What is held without blocking is the engine's room.
TransformStream::Latency TransformStream::own_latency() const {
  const TransformSettings settings = control_->settings();
  if (!GST_CLOCK_TIME_IS_VALID(frame_duration_)) {
    // Without a frame rate only what the application has promised is known.
    return {settings.processing_latency, settings.processing_latency};
  }
  const ModelInfo info = model_ ? model_->info : ModelInfo();
  const guint64 longest = std::max(info.first_chunk_frames(from_one_frame_), info.chunk_frames());
  Latency own;
  own.min = (longest - 1) * frame_duration_ + static_cast<GstClockTime>(estimator_.declared_ns());
  own.max = std::max(own.min, frame_duration_ * info.chunk_frames() * max_chunks_);
  return own;
}

// With the mutex held. Until something is measured, a model that just keeps up is assumed.
void TransformStream::restart_latency() {
  const TransformSettings settings = control_->settings();
  const bool fixed = settings.processing_latency > 0;
  const GstClockTime chunk = chunk_duration();
  const GstClockTime guess = GST_CLOCK_TIME_IS_VALID(chunk) ? chunk : 0;
  estimator_.restart(static_cast<int64_t>(fixed ? settings.processing_latency : guess), fixed);
}

// With the mutex held: whether downstream's knowledge is no longer true.
bool TransformStream::latency_differs() const { return announced_ && *announced_ != own_latency(); }

// Holds no lock.
void TransformStream::announce_latency() {
  gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT_CAST(element_)));
}

void TransformStream::latency_settings_changed() {
  bool announce = false;
  {
    const Lock lock(mutex_);
    restart_latency();
    announce = latency_differs();
  }
  if (announce) announce_latency();
}

gboolean TransformStream::answer_latency(GstQuery* query) {
  if (!gst_pad_peer_query(sink_, query)) return FALSE;
  gboolean live = FALSE;
  GstClockTime min = 0;
  GstClockTime max = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &min, &max);
  {
    const Lock lock(mutex_);
    live_ = live;
    const Latency own = own_latency();
    announced_ = own;
    min += own.min;
    if (GST_CLOCK_TIME_IS_VALID(max)) max += own.max;
  }
  gst_query_set_latency(query, live, min, max);
  return TRUE;
}

GstStructure* TransformStream::new_stats() {
  Lock lock(mutex_);
  const TransformStats s = stats_;
  const guint64 waiting = timeline_.frames();
  const guint64 declared = static_cast<guint64>(estimator_.declared_ns());
  const guint64 exceeded = estimator_.exceeded();
  SessionPtr session = session_;
  lock.unlock();
  sdv2_session_stats engine = {};
  if (session) engine = session->stats();
  session.reset();
  return gst_structure_new(
      "sdv2-transform-stats", "frames-in", G_TYPE_UINT64, s.frames_in, "frames-out", G_TYPE_UINT64,
      s.frames_out, "frames-transformed", G_TYPE_UINT64, s.frames_transformed, "frames-passed", G_TYPE_UINT64,
      s.frames_passed, "frames-repeated", G_TYPE_UINT64, s.frames_repeated, "frames-dropped", G_TYPE_UINT64,
      s.frames_dropped, "frames-waiting", G_TYPE_UINT64, waiting, "chunks", G_TYPE_UINT64, s.chunks_submitted,
      "partial-chunks", G_TYPE_UINT64, s.chunks_partial, "late-chunks", G_TYPE_UINT64, s.chunks_late,
      "failed-chunks", G_TYPE_UINT64, s.chunks_failed, "skipped-chunks", G_TYPE_UINT64,
      static_cast<guint64>(engine.chunks_skipped), "chunks-under-way", G_TYPE_UINT64,
      static_cast<guint64>(engine.chunks_under_way), "processing-latency", G_TYPE_UINT64, declared,
      "processing-latency-exceeded", G_TYPE_UINT64, exceeded, "chunk-time-p50", G_TYPE_UINT64,
      static_cast<guint64>(engine.latency_p50_ns), "chunk-time-p95", G_TYPE_UINT64,
      static_cast<guint64>(engine.latency_p95_ns), "chunk-time-p99", G_TYPE_UINT64,
      static_cast<guint64>(engine.latency_p99_ns), "chunk-interval", G_TYPE_UINT64,
      static_cast<guint64>(engine.chunk_interval_ns), "first-frame-time", G_TYPE_UINT64,
      static_cast<guint64>(engine.first_frame_ns), "noise-scale", G_TYPE_DOUBLE, engine.noise_scale, "rung",
      G_TYPE_INT, engine.rung, nullptr);
}

}  // namespace sdv2
