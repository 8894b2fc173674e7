// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform, sink side: frames into chunks, chunks into the engine. Runs in upstream's streaming thread.
#include <algorithm>

#include "transform/engine_error.h"
#include "transform/transform_caps.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {
namespace {

using BufferPtr = GstPtr<GstBuffer>;

// Values of the field "reason" in QOS messages.
constexpr const char* kLoading = "loading";
constexpr const char* kDownstream = "downstream-late";
constexpr const char* kFailed = "error";

std::optional<Sdv2ChunkInfo> tag_of(GstBuffer* buffer) {
  Sdv2ChunkInfo info;
  if (!sdv2_buffer_get_chunk_info(buffer, &info)) return std::nullopt;
  return info;
}

// Buffers that a pool hands out at all; 0: as many as are asked for.
guint pool_limit(GstBuffer* buffer) {
  if (buffer->pool == nullptr) return 0;
  guint max = 0;
  GstStructure* config = gst_buffer_pool_get_config(buffer->pool);
  gst_buffer_pool_config_get_params(config, nullptr, nullptr, nullptr, &max);
  gst_structure_free(config);
  return max;
}

// Times, flags, offsets and metas without the picture.
GstPtr<GstMiniObject> record_of(GstBuffer* buffer) {
  GstBuffer* record = gst_buffer_new();
  gst_buffer_copy_into(record, buffer, GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
  return GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(record));
}

}  // namespace

GstFlowReturn TransformStream::chain(GstBuffer* incoming) {
  BufferPtr buffer = BufferPtr::adopt(incoming);
  if (!info_) {
    GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION, ("A frame came before its format."), (nullptr));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  const auto tag = tag_of(incoming);
  {
    Lock lock(mutex_);
    const GstFlowReturn flow = refusal();
    if (flow != GST_FLOW_OK) return flow;
    if (open_ && ends_before(tag)) submit(lock);
  }
  Item item = item_at(incoming);
  // Controlled properties have the values of a chunk's first frame, for the chunk before it has all that it
  // needs.
  if (!open_ && GST_CLOCK_TIME_IS_VALID(item.stream_time))
    gst_object_sync_values(GST_OBJECT_CAST(element_), item.stream_time);
  const TransformSettings settings = control_->settings();
  keep(item, std::move(buffer), settings);
  Lock lock(mutex_);
  const GstFlowReturn flow = refusal();
  if (flow != GST_FLOW_OK) return flow;
  ++stats_.frames_in;
  return accept(lock, std::move(item), tag, settings);
}

// Why a buffer cannot be taken now; OK when it can.
GstFlowReturn TransformStream::refusal() const {
  if (src_result_ != GST_FLOW_OK) return src_result_;
  return eos_ || downstream_eos_ ? GST_FLOW_EOS : GST_FLOW_OK;
}

// A frame's item with its times only.
TransformStream::Item TransformStream::item_at(GstBuffer* buffer) const {
  Item item;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    item.running_time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    item.stream_time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  }
  return item;
}

// Keeps the picture only where it may have to leave again; else the record of times, flags and metas. A pool
// that is too small for what is held here must not run dry: then the picture is copied.
void TransformStream::keep(Item& item, BufferPtr buffer, const TransformSettings& settings) {
  GstBuffer* in = buffer.get();
  item.bypass = settings.bypass;
  item.bypass_changed =
      answer_bypass_.exchange(false) | (std::exchange(bypass_, settings.bypass) != settings.bypass);
  // The engine reads the picture from here too, so it always begins with the pixels.
  item.has_pixels = settings.needs_source() || settings.while_loading == WhileLoading::kPassthrough;
  const guint limit = item.has_pixels ? pool_limit(in) : 0;
  if (limit > 0 && limit <= held_frames(settings)) buffer = BufferPtr::adopt(gst_buffer_copy_deep(in));
  item.owned = GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(buffer.release()));
}

// The most pictures that are kept when they may have to leave again, and the one that is being looked at.
guint TransformStream::held_frames(const TransformSettings& settings) const {
  const Lock lock(mutex_);
  const ModelInfo model = model_ ? model_->info : ModelInfo();
  return settings.max_chunks * model.first_chunk_frames(false) + 1;
}

GstFlowReturn TransformStream::accept(Lock& lock, Item item, const std::optional<Sdv2ChunkInfo>& tag,
                                      const TransformSettings& settings) {
  if (!session_ || session_dead_) {
    await_replan(lock);
    if (model_state_ == ModelState::kLoading && settings.while_loading == WhileLoading::kHold)
      engine_changed_.wait(
          lock, [this] { return model_state_ != ModelState::kLoading || refusal() != GST_FLOW_OK; });
    GstFlowReturn flow = refusal();
    if (flow != GST_FLOW_OK) return flow;
    if (model_state_ != ModelState::kReady || session_dead_)
      return without_engine(lock, std::move(item), settings);
    flow = open_session(lock, settings);
    if (flow != GST_FLOW_OK) return flow;
    if (session_dead_) return without_engine(lock, std::move(item), settings);
  }

  if (!open_) {
    const GstFlowReturn flow = begin_chunk(lock, item, tag, settings);
    if (flow != GST_FLOW_OK) return flow;
    if (session_dead_) return without_engine(lock, std::move(item), settings);
    // The session was lost and its place taken meanwhile.
    if (!open_) return accept(lock, std::move(item), tag, settings);
  }
  if (open_->skipped) {
    timeline_.push_settled(*open_->skipped, std::move(item));
  } else {
    const GstFlowReturn flow = put(lock, item);
    if (flow != GST_FLOW_OK) return flow;
    if (session_dead_) return without_engine(lock, std::move(item), settings);
    timeline_.push_frame(open_->id, std::move(item));
  }
  work_added_.notify_one();
  if (++open_->frames == open_->size) submit(lock);
  return refusal();
}

// The model is still being loaded, or cannot be used any more: the policy's answer at the frame's place.
GstFlowReturn TransformStream::without_engine(Lock& lock, Item item, const TransformSettings& settings) {
  if (open_) submit(lock);
  if (model_state_ == ModelState::kFailed) return GST_FLOW_ERROR;
  if (model_state_ == ModelState::kLoading) {
    const bool pass = settings.while_loading == WhileLoading::kPassthrough;
    timeline_.push_settled({pass ? Outcome::kSource : Outcome::kDrop, kLoading}, std::move(item));
  } else {
    timeline_.push_settled(on_error_settlement(error_policy({})), std::move(item));
  }
  work_added_.notify_one();
  return GST_FLOW_OK;
}

GstFlowReturn TransformStream::open_session(Lock& lock, const TransformSettings& settings) {
  auto session = std::make_shared<EngineSession>(model_->model, static_cast<ChunkListener*>(this));
  // What was set until now is in the settings; from here on changes are sent.
  LiveSettings changed;
  lock.unlock();
  changed = control_->take_changes().second;
  const EngineStatus status = session->open(session_settings_json(settings));
  std::vector<GstStructure*> applied;
  for (const LiveSetting setting : changed) applied.push_back(new_applied(element_, property_name(setting)));
  if (!status.ok()) {
    session.reset();
    lock.lock();
    if (lose_device(status)) {
      for (GstStructure* message : applied) pending_messages_.push_back({0, message});
      return GST_FLOW_OK;
    }
    lock.unlock();
    for (GstStructure* message : applied) gst_structure_free(message);
    post_engine_status(element_, GST_MESSAGE_ERROR, "The engine does not take the stream.", status);
    return GST_FLOW_ERROR;
  }
  lock.lock();
  for (GstStructure* message : applied) pending_messages_.push_back({0, message});
  const GstFlowReturn flow = refusal();
  if (flow != GST_FLOW_OK) {
    lock.unlock();
    session.reset();
    lock.lock();
    return flow;
  }
  session_ = std::move(session);
  stream_fresh_ = true;
  return GST_FLOW_OK;
}

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

Settlement TransformStream::on_error_settlement(OnError policy) {
  switch (policy) {
    case OnError::kRepeat:
      return {Outcome::kRepeat, kFailed};
    case OnError::kPassthrough:
      return {Outcome::kSource, kFailed};
    default:
      return {Outcome::kStop, kFailed};
  }
}

Settlement TransformStream::on_late_settlement(OnLate policy, const char* reason) {
  switch (policy) {
    case OnLate::kRepeat:
      return {Outcome::kRepeat, reason};
    case OnLate::kPassthrough:
      return {Outcome::kSource, reason};
    default:
      return {Outcome::kDrop, reason};
  }
}

}  // namespace sdv2
