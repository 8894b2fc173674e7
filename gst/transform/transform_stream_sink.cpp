// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform, sink side: frames come in. Runs in upstream's streaming thread.
#include "transform/engine_error.h"
#include "transform/transform_stream.h"

namespace sdv2 {
namespace {

using BufferPtr = GstPtr<GstBuffer>;

// Values of the field "reason" in QOS messages.
constexpr const char* kLoading = "loading";
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
