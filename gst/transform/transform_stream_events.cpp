// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform, sink side: events and queries. Serialized ones keep their place between the frames.
#include "common/stream_events.h"
#include "transform/transform_caps.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {
namespace {

using EventPtr = GstPtr<GstEvent>;

}  // namespace

GstFlowReturn TransformStream::sink_event(GstEvent* incoming) {
  EventPtr event = EventPtr::adopt(incoming);
  const GstStructure* structure = gst_event_get_structure(incoming);
  switch (GST_EVENT_TYPE(incoming)) {
    case GST_EVENT_FLUSH_START:
      flush_start(std::move(event));
      return GST_FLOW_OK;
    case GST_EVENT_FLUSH_STOP:
      flush_stop(std::move(event));
      return GST_FLOW_OK;
    case GST_EVENT_CAPS:
      return take_caps(std::move(event));
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(incoming, &segment);
      if (segment->format == GST_FORMAT_TIME) break;
      GST_ELEMENT_ERROR(
          element_, STREAM, FORMAT, ("The stream has no times."),
          ("segment in format %s; only TIME is supported", gst_format_get_name(segment->format)));
      return GST_FLOW_ERROR;
    }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_BOTH:
    case GST_EVENT_CUSTOM_BOTH_OOB:
      if (structure == nullptr || !gst_structure_has_name(structure, kControlName)) break;
      return control(structure) ? GST_FLOW_OK : GST_FLOW_ERROR;
    default:
      break;
  }
  if (!is_serialized(incoming))
    return gst_pad_push_event(src_, event.release()) ? GST_FLOW_OK : GST_FLOW_ERROR;
  return enqueue_event(std::move(event));
}

bool TransformStream::control(const GstStructure* changes) {
  std::string problem;
  const auto applied = apply_control(element_, changes, &problem);
  if (!applied) {
    GST_ELEMENT_WARNING(element_, STREAM, FAILED, ("A change of settings was refused."),
                        ("%s", problem.c_str()));
    return false;
  }
  // Who asks gets an answer, also when nothing is new.
  for (const std::string& name : *applied) {
    const auto setting = live_setting_named(name);
    if (setting) control_->note(*setting);
    if (name == "bypass") answer_bypass_ = true;
  }
  return true;
}

// Files a serialized event, after what it means for the chunks.
GstFlowReturn TransformStream::enqueue_event(EventPtr event) {
  const GstEventType type = GST_EVENT_TYPE(event.get());
  Lock lock(mutex_);
  if (begins_stream(type)) {
    downstream_eos_ = false;
    if (eos_ && (src_result_ == GST_FLOW_EOS || src_result_ == GST_FLOW_OK)) {
      eos_ = false;
      src_result_ = GST_FLOW_OK;
      start_task();
    }
  }
  if (src_result_ != GST_FLOW_OK) {
    // Sticky events will meet the failure again when data flows. Nothing flows after EOS, so that upstream
    // would never learn.
    const GstFlowReturn flow = src_result_;
    if (type == GST_EVENT_EOS && is_failure(flow)) {
      lock.unlock();
      GST_ELEMENT_FLOW_ERROR(element_, flow);
      return flow;
    }
    if (type == GST_EVENT_EOS || !is_sticky(event.get())) return flow;
  }
  if (eos_) return GST_FLOW_EOS;

  bool ends_chunk = type == GST_EVENT_EOS || type == GST_EVENT_SEGMENT_DONE;
  switch (type) {
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event.get(), &segment);
      take_segment(lock, *segment);
      break;
    }
    case GST_EVENT_GAP: {
      // Frames of the open chunk must not wait for the end of a long gap.
      GstClockTime duration = GST_CLOCK_TIME_NONE;
      gst_event_parse_gap(event.get(), nullptr, &duration);
      const GstClockTime chunk = chunk_duration();
      ends_chunk = GST_CLOCK_TIME_IS_VALID(duration) && (!GST_CLOCK_TIME_IS_VALID(chunk) || duration > chunk);
      break;
    }
    case GST_EVENT_CUSTOM_DOWNSTREAM: {
      guint64 chunk = 0;
      ends_chunk =
          sdv2_chunk_end_event_parse(event.get(), &chunk, nullptr) && open_ && open_->meta_chunk == chunk;
      break;
    }
    default:
      break;
  }
  if (ends_chunk && open_) submit(lock);
  if (type == GST_EVENT_EOS) eos_ = true;
  timeline_.push_other({.owned = GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(event.release()))});
  work_added_.notify_one();
  return GST_FLOW_OK;
}

// A new format ends the open chunk and begins a stream in the engine; the same format passes.
GstFlowReturn TransformStream::take_caps(EventPtr event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event.get(), &caps);
  GstVideoInfo info;
  const auto allowed = GstPtr<GstCaps>::adopt(gst_pad_get_pad_template_caps(sink_));
  if (!gst_video_info_from_caps(&info, caps) || !gst_caps_can_intersect(caps, allowed.get())) {
    GST_ERROR_OBJECT(element_, "not a format for this element: %" GST_PTR_FORMAT, static_cast<void*>(caps));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (GST_VIDEO_INFO_IS_INTERLACED(&info)) {
    GST_ELEMENT_ERROR(element_, STREAM, WRONG_TYPE, ("Interlaced video cannot be transformed."),
                      ("put the element deinterlace in front of this one"));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  const GstClockTime duration =
      GST_VIDEO_INFO_FPS_N(&info) > 0
          ? gst_util_uint64_scale_int(GST_SECOND, GST_VIDEO_INFO_FPS_D(&info), GST_VIDEO_INFO_FPS_N(&info))
          : GST_CLOCK_TIME_NONE;
  SessionPtr session;
  bool announce = false;
  {
    Lock lock(mutex_);
    if (frame_duration_ != duration) {
      frame_duration_ = duration;
      restart_latency();
      announce = latency_differs();
    }
    if (!info_ || !gst_video_info_is_equal(&info, &*info_)) {
      if (open_) submit(lock);
      if (info_ && !stream_fresh_ && !session_dead_) session = session_;
      info_ = info;
    }
    stream_fresh_ = stream_fresh_ || session != nullptr;
  }
  if (session) session->reset();
  if (announce) announce_latency();
  return enqueue_event(std::move(event));
}

// Only a real change interrupts the chunk: sources repeat their segment with a new position.
void TransformStream::take_segment(Lock& lock, const GstSegment& segment) {
  if (open_ && !continues_segment(segment_, segment)) submit(lock);
  gst_segment_copy_into(&segment, &segment_);
}

GstClockTime TransformStream::chunk_duration() const {
  const guint frames = model_ ? model_->info.chunk_frames() : ModelInfo().chunk_frames();
  return GST_CLOCK_TIME_IS_VALID(frame_duration_) ? frame_duration_ * frames : GST_CLOCK_TIME_NONE;
}

// Downstream first, so that a blocked push returns; then everything that waits here.
void TransformStream::flush_start(EventPtr event) {
  gst_pad_push_event(src_, event.release());
  unblock();
  gst_pad_pause_task(src_);
}

void TransformStream::flush_stop(EventPtr event) {
  Lock lock(mutex_);
  const bool begun = src_result_ == GST_FLOW_FLUSHING;
  lock.unlock();
  // Alone it would meet a task that waits for frames, or in a push that nothing ends: it becomes a whole
  // flush.
  if (!begun) flush_start(EventPtr::adopt(gst_event_new_flush_start()));
  // The task's present turn ends before anything of the new stream begins: nothing of the old one can follow.
  GST_PAD_STREAM_LOCK(src_);
  lock.lock();
  auto entries = forget_stream();
  const SessionPtr session = session_dead_ ? nullptr : session_;
  cancel_late_timer(lock);
  lock.unlock();
  if (session) session->flush();  // also what chain() put after FLUSH_START
  output_.forget_last();
  keep_sticky_events(entries);
  output_.set_flushing(false);
  GST_PAD_STREAM_UNLOCK(src_);
  gst_pad_push_event(src_, event.release());
  lock.lock();
  if (GST_PAD_MODE(src_) != GST_PAD_MODE_PUSH) return;
  src_result_ = GST_FLOW_OK;
  start_task();
}

gboolean TransformStream::sink_query(GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      answer_transform_caps_query(sink_, src_, query);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      answer_allocation(query);
      return TRUE;
    default:
      return is_serialized(query) ? enqueue_query(query)
                                  : gst_pad_query_default(sink_, GST_OBJECT_CAST(element_), query);
  }
}

// Our own answer, for the pictures end here: any strides, and the buffers that are kept.
void TransformStream::answer_allocation(GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  GstCaps* caps = nullptr;
  GstVideoInfo info;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (caps == nullptr || !gst_video_info_from_caps(&info, caps)) return;
  const TransformSettings settings = control_->settings();
  const guint frames = settings.needs_source() ? held_frames(settings) : 1;
  gst_query_add_allocation_pool(query, nullptr, static_cast<guint>(info.size), frames, 0);
}

// Sends a query through the timeline and waits for the answer.
gboolean TransformStream::enqueue_query(GstQuery* query) {
  Lock lock(mutex_);
  if (src_result_ != GST_FLOW_OK || eos_) return FALSE;
  if (GST_QUERY_TYPE(query) == GST_QUERY_DRAIN && open_) submit(lock);
  if (src_result_ != GST_FLOW_OK) return FALSE;
  timeline_.push_other({.query = query});
  work_added_.notify_one();
  const auto answer = queries_.wait(lock, query, [this] { return src_result_ != GST_FLOW_OK; });
  if (answer) return *answer;
  timeline_.take_other([&](const Item& item) { return item.query == query; });
  return FALSE;
}

}  // namespace sdv2
