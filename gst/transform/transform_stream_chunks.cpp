// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform, sink side: frames into chunks, chunks into the engine. Runs in upstream's streaming thread.
#include <algorithm>

#include "transform/transform_caps.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {
namespace {

// Value of the field "reason" in QOS messages.
constexpr const char* kDownstream = "downstream-late";

// Times, flags, offsets and metas without the picture.
GstPtr<GstMiniObject> record_of(GstBuffer* buffer) {
  GstBuffer* record = gst_buffer_new();
  gst_buffer_copy_into(record, buffer, GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
  return GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(record));
}

}  // namespace

// Whether the open chunk has to end before the frame with this tag: because it begins another chunk, or
// because it does not follow in the chunk that is filled after metas.
bool TransformStream::ends_before(const std::optional<Sdv2ChunkInfo>& tag) const {
  if (!open_->meta_chunk) return tag && tag->first && tag->index == 0;
  return !tag || tag->chunk != *open_->meta_chunk;
}

// The number of the chunk that the next engine chunk of `size` frames follows; nothing when the frames carry
// no metas or those of a model with other chunks.
std::optional<guint64> TransformStream::followed_chunk(const std::optional<Sdv2ChunkInfo>& tag,
                                                       uint32_t size) {
  if (!tag || tag->index != 0) return std::nullopt;
  const bool fits = tag->size == size || (tag->size == model_->info.chunk_frames() && tag->size < size);
  if (fits) return tag->chunk;
  if (!std::exchange(warned_of_metas_, true))
    GST_WARNING_OBJECT(element_,
                       "chunks of %u frames come, but the model takes %u: set chunk-size of sdv2chunk to %u; "
                       "frames are grouped anew",
                       tag->size, size, model_->info.chunk_frames());
  return std::nullopt;
}

GstFlowReturn TransformStream::begin_chunk(Lock& lock, const Item& item,
                                           const std::optional<Sdv2ChunkInfo>& tag,
                                           const TransformSettings& settings) {
  OpenChunk chunk;
  chunk.running_time = item.running_time;
  const SessionPtr session = session_;
  if (settings.on_late != OnLate::kWait && too_late(item)) {
    chunk.size = tag && tag->index == 0 ? tag->size : model_->info.chunk_frames();
    if (tag && tag->index == 0) chunk.meta_chunk = tag->chunk;
    chunk.skipped = on_late_settlement(settings.on_late, kDownstream);
    ++stats_.chunks_late;
    open_ = chunk;
    return GST_FLOW_OK;
  }
  engine_changed_.wait(
      lock, [this] { return ledger_.held() < max_chunks_ || session_dead_ || refusal() != GST_FLOW_OK; });
  const GstFlowReturn flow = refusal();
  if (flow != GST_FLOW_OK || session_dead_) return flow;
  const bool restart = tag && tag->first && tag->index == 0 && !stream_fresh_;
  lock.unlock();
  if (restart) session->reset();
  chunk.size = session->chunk_frames();
  lock.lock();
  if (session_ != session) return refusal();
  chunk.meta_chunk = followed_chunk(tag, chunk.size);
  chunk.id = timeline_.begin_chunk();
  ledger_.begin(chunk.id);
  open_ = chunk;
  return refusal();
}

// Whether downstream has said that it will throw the chunk away.
bool TransformStream::too_late(const Item& item) const {
  const GstClockTime chunk = chunk_duration();
  return GST_CLOCK_TIME_IS_VALID(earliest_) && GST_CLOCK_TIME_IS_VALID(item.running_time) &&
         GST_CLOCK_TIME_IS_VALID(chunk) && item.running_time + chunk <= earliest_;
}

// Gives the picture to the engine, and lets go of it when only the record is needed. OK when the engine has
// it (whatever else has happened meanwhile), or when the engine is dead.
GstFlowReturn TransformStream::put(Lock& lock, Item& item) {
  const SessionPtr session = session_;
  while (true) {
    const size_t held = ledger_.held();
    lock.unlock();
    GstVideoFrame frame;
    if (!gst_video_frame_map(&frame, &*info_, item.buffer(), GST_MAP_READ)) {
      GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("A frame cannot be read."),
                        ("its memory does not fit the format that was announced"));
      lock.lock();
      return GST_FLOW_ERROR;
    }
    const sdv2_image image = image_of(frame);
    const EngineStatus status = session->put_frame(image);
    gst_video_frame_unmap(&frame);
    if (status.ok() && !item.has_pixels) item.owned = record_of(item.buffer());
    lock.lock();
    stream_fresh_ = false;
    if (status.ok()) return GST_FLOW_OK;
    GstFlowReturn flow = refusal();
    if (flow != GST_FLOW_OK) return flow;
    if (status.code == SDV2_BUSY && held > 1) {
      // The engine has less room than was agreed: a chunk that is given back makes some.
      engine_changed_.wait(
          lock, [&] { return ledger_.held() != held || session_dead_ || refusal() != GST_FLOW_OK; });
      flow = refusal();
      if (flow != GST_FLOW_OK || session_dead_) return flow;
      continue;
    }
    if (status.code == SDV2_DEVICE && error_policy(status) != OnError::kStop) {
      fail_chunk(open_->id, status);
      timeline_.end_chunk(open_->id);
      ledger_.abandon(open_->id);
      open_.reset();
      return GST_FLOW_OK;
    }
    src_result_ = GST_FLOW_ERROR;
    work_added_.notify_all();
    lock.unlock();
    report({status, true});
    lock.lock();
    return GST_FLOW_ERROR;
  }
}

// Starts the open chunk with the frames that it has; the engine fills up a partial one.
void TransformStream::submit(Lock& lock) {
  const OpenChunk chunk = *open_;
  open_.reset();
  if (chunk.skipped) return;
  if (chunk.frames == 0) {  // its first frame could not be put
    timeline_.end_chunk(chunk.id);
    ledger_.abandon(chunk.id);
    return;
  }
  const SessionPtr session = session_;
  const int64_t deadline = deadline_of(chunk.running_time);
  lock.unlock();
  apply_changes(session);
  int64_t number = -1;
  const EngineStatus status = session->submit(deadline, &number);
  lock.lock();
  timeline_.end_chunk(chunk.id);
  if (!status.ok()) {
    if (src_result_ != GST_FLOW_FLUSHING) fail_chunk(chunk.id, status);
    ledger_.abandon(chunk.id);
    return;
  }
  ++stats_.chunks_submitted;
  if (chunk.frames < chunk.size) ++stats_.chunks_partial;
  const auto finished = ledger_.submitted(chunk.id, number, chunk.frames);
  if (finished) take_result(*finished);
  work_added_.notify_one();
}

// Sends the settings that have changed, which then hold for the chunk that is about to start.
void TransformStream::apply_changes(const SessionPtr& session) {
  const auto [settings, changed] = control_->take_changes();
  if (changed.empty()) return;
  const std::string json = session_changes_json(settings, changed, model_->info);
  int64_t first_chunk = 0;
  const EngineStatus status = session->set(json, &first_chunk);
  if (!status.ok()) {
    GST_ELEMENT_WARNING(element_, LIBRARY, SETTINGS, ("The engine has refused a change of settings."),
                        ("%s; it was: %s", status.message.c_str(), json.c_str()));
    return;
  }
  std::vector<GstStructure*> messages;
  for (const LiveSetting setting : changed) messages.push_back(new_applied(element_, property_name(setting)));
  const Lock lock(mutex_);
  for (GstStructure* message : messages) pending_messages_.push_back({first_chunk, message});
}

// When the chunk's pictures are wanted, on the engine's clock. With the mutex held.
int64_t TransformStream::deadline_of(GstClockTime running_time) const {
  if (!playing_ || !live_ || !clock_ || !GST_CLOCK_TIME_IS_VALID(configured_latency_) ||
      !GST_CLOCK_TIME_IS_VALID(running_time))
    return INT64_MAX;
  const GstClockTime target = control_->settings().target_latency;
  const GstClockTime latency = target > 0 ? std::min(target, configured_latency_) : configured_latency_;
  const GstClockTime due = base_time_ + running_time + latency;
  const auto left = static_cast<int64_t>(due) - static_cast<int64_t>(gst_clock_get_time(clock_.get()));
  return g_get_monotonic_time() * 1000 + left;
}

}  // namespace sdv2
