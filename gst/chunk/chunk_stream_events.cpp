// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk, sink side: events and queries. Serialized ones keep their place between the frames.
#include <algorithm>

#include "chunk/chunk_stream.h"
#include "common/stream_events.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_chunk_debug);
#define GST_CAT_DEFAULT gst_sdv2_chunk_debug

namespace sdv2 {
namespace {

using EventPtr = GstPtr<GstEvent>;

}  // namespace

GstFlowReturn ChunkStream::sink_event(GstEvent* incoming) {
  EventPtr event = EventPtr::adopt(incoming);
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
    default:
      if (!is_serialized(incoming)) {
        return gst_pad_push_event(src_, event.release()) ? GST_FLOW_OK : GST_FLOW_ERROR;
      }
      break;
  }
  return enqueue_event(std::move(event));
}

// Files a serialized event, after what it means for the chunks.
GstFlowReturn ChunkStream::enqueue_event(EventPtr event) {
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

  switch (type) {
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event.get(), &segment);
      take_segment(*segment);
      break;
    }
    case GST_EVENT_GAP: {
      GstClockTime duration = GST_CLOCK_TIME_NONE;
      gst_event_parse_gap(event.get(), nullptr, &duration);
      // Frames of the open chunk must not wait for the end of a long gap.
      const GstClockTime chunk = chunk_duration();
      if (GST_CLOCK_TIME_IS_VALID(duration) && (!GST_CLOCK_TIME_IS_VALID(chunk) || duration > chunk))
        end_chunk();
      break;
    }
    case GST_EVENT_EOS:
      end_chunk();
      eos_ = true;
      break;
    case GST_EVENT_SEGMENT_DONE:
      end_chunk();
      break;
    default:
      break;
  }
  queue_.push_other({.owned = GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(event.release()))});
  item_added_.notify_one();
  return GST_FLOW_OK;
}

// A new format ends the open chunk and the model's session; the same format passes.
GstFlowReturn ChunkStream::take_caps(EventPtr event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event.get(), &caps);
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) {
    GST_ERROR_OBJECT(element_, "no video format: %" GST_PTR_FORMAT, static_cast<void*>(caps));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  const FrameRate rate = framerate();
  const auto out = GstPtr<GstCaps>::adopt(caps_at_rate(caps, rate));
  gint numerator = GST_VIDEO_INFO_FPS_N(&info);
  gint denominator = GST_VIDEO_INFO_FPS_D(&info);
  if (!rate.as_input()) {
    numerator = rate.numerator;
    denominator = rate.denominator;
  }
  const GstClockTime duration =
      numerator > 0 ? gst_util_uint64_scale_int(GST_SECOND, denominator, numerator) : GST_CLOCK_TIME_NONE;

  ask_if_live();
  bool latency_changed = false;
  {
    Lock lock(mutex_);
    latency_changed = duration != frame_duration_;
    frame_duration_ = duration;
    if (!info_ || !gst_video_info_is_equal(&info, &*info_)) {
      end_chunk();
      assembler_.restart();
      last_input_ = {};
      info_ = info;
    }
  }
  if (latency_changed) gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT_CAST(element_)));

  GstEvent* out_event = gst_event_new_caps(out.get());
  gst_event_set_seqnum(out_event, gst_event_get_seqnum(event.get()));
  return enqueue_event(EventPtr::adopt(out_event));
}

// Only a real change interrupts the stream: sources repeat their segment with a new position.
void ChunkStream::take_segment(const GstSegment& segment) {
  if (!continues_segment(segment_, segment)) {
    end_chunk();
    last_input_ = {};
    expected_running_time_ = GST_CLOCK_TIME_NONE;
    if (adapter_) adapter_->reset();
  }
  gst_segment_copy_into(&segment, &segment_);
}

// Downstream first, so that a blocked push returns; then everything that waits here.
void ChunkStream::flush_start(EventPtr event) {
  gst_pad_push_event(src_, event.release());
  unblock();
  gst_pad_pause_task(src_);
}

void ChunkStream::flush_stop(EventPtr event) {
  Lock lock(mutex_);
  const bool begun = src_result_ == GST_FLOW_FLUSHING;
  lock.unlock();
  // Alone it would meet a task that waits for frames, or in a push that nothing ends: it becomes a whole
  // flush.
  if (!begun) flush_start(EventPtr::adopt(gst_event_new_flush_start()));
  cancel_timeout();
  // The task's present turn ends before anything of the new stream begins: nothing of the old one can follow.
  GST_PAD_STREAM_LOCK(src_);
  lock.lock();
  auto entries = forget_stream();
  lock.unlock();
  keep_sticky_events(entries);
  entries.clear();  // without the lock
  GST_PAD_STREAM_UNLOCK(src_);
  gst_pad_push_event(src_, event.release());
  lock.lock();
  if (GST_PAD_MODE(src_) != GST_PAD_MODE_PUSH) return;
  src_result_ = GST_FLOW_OK;
  start_task();
}

gboolean ChunkStream::sink_query(GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      answer_caps_query(sink_, src_, framerate(), query);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      answer_accept_caps_query(sink_, src_, framerate(), query);
      return TRUE;
    case GST_QUERY_ALLOCATION: {
      const gboolean answered = enqueue_query(query);
      if (answered) add_buffers_to_allocation(query, held_frames());
      return answered;
    }
    default:
      return is_serialized(query) ? enqueue_query(query)
                                  : gst_pad_query_default(sink_, GST_OBJECT_CAST(element_), query);
  }
}

// The most frames that are kept from upstream's pool: all waiting chunks, the rest of the leaving one, and
// the picture to repeat.
guint ChunkStream::held_frames() const {
  const Lock lock(mutex_);
  const ChunkSizes sizes = settings_.sizes();
  return settings_.max_chunks * std::max(sizes.first, sizes.next) + sizes.next +
         (settings_.framerate.as_input() ? 0 : 1);
}

// Sends a query through the queue and waits for the answer.
gboolean ChunkStream::enqueue_query(GstQuery* query) {
  Lock lock(mutex_);
  if (src_result_ != GST_FLOW_OK || eos_) return FALSE;
  if (GST_QUERY_TYPE(query) == GST_QUERY_DRAIN) end_chunk();
  queue_.push_other({.query = query});
  item_added_.notify_one();
  const auto answer = queries_.wait(lock, query, [this] { return src_result_ != GST_FLOW_OK; });
  if (answer) return *answer;
  queue_.take_other([&](const Item& item) { return item.query == query; });
  return FALSE;
}

}  // namespace sdv2
