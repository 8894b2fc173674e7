// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk, sink side: buffers, and how they are grouped and dropped. Runs in upstream's streaming thread.
#include <algorithm>
#include <cmath>

#include "chunk/chunk_stream.h"
#include "sdv2/sdv2meta.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_chunk_debug);
#define GST_CAT_DEFAULT gst_sdv2_chunk_debug

namespace sdv2 {
namespace {

using BufferPtr = GstPtr<GstBuffer>;

// Values of the field "reason" in QOS messages.
constexpr const char* kQueueFull = "queue-full";
constexpr const char* kRate = "rate";

}  // namespace

GstFlowReturn ChunkStream::chain(GstBuffer* incoming) {
  BufferPtr buffer = BufferPtr::adopt(incoming);
  if (!framerate().as_input() && !GST_BUFFER_PTS_IS_VALID(incoming)) {
    GST_ELEMENT_ERROR(
        element_, STREAM, FORMAT, ("Frames without time stamps cannot be brought to a frame rate."),
        ("set framerate=0/1 or give the frames time stamps (videorate, appsrc do-timestamp=true)"));
    return GST_FLOW_ERROR;
  }
  note_arrival();
  Dropped dropped;
  GstFlowReturn flow = GST_FLOW_OK;
  {
    Lock lock(mutex_);
    flow = refusal();
    if (flow == GST_FLOW_OK) {
      ++stats_.frames_in;
      flow = adapter_ ? accept_at_rate(lock, std::move(buffer), dropped)
                      : accept(lock, std::move(buffer), dropped);
    }
  }
  post_qos(dropped);
  watch_open_chunk();
  return flow;
}

// Why a buffer cannot be taken now; OK when it can.
GstFlowReturn ChunkStream::refusal() const {
  if (src_result_ != GST_FLOW_OK) return src_result_;
  return eos_ || downstream_eos_ ? GST_FLOW_EOS : GST_FLOW_OK;
}

GstFlowReturn ChunkStream::accept(Lock& lock, BufferPtr buffer, Dropped& dropped) {
  const GstClockTime running_time = times_of(buffer.get()).running_time;
  if (gap_before(buffer.get(), running_time)) {
    GST_DEBUG_OBJECT(element_, "gap before %" GST_TIME_FORMAT, GST_TIME_ARGS(running_time));
    end_chunk();
  }
  return enqueue(lock, std::move(buffer), dropped);
}

GstFlowReturn ChunkStream::accept_at_rate(Lock& lock, BufferPtr buffer, Dropped& dropped) {
  const Item times = times_of(buffer.get());
  if (!GST_CLOCK_TIME_IS_VALID(times.running_time)) {
    drop(buffer.get(), times, kRate, dropped);  // outside of the segment: it will not be shown
    return GST_FLOW_OK;
  }
  std::optional<int64_t> duration;
  if (GST_BUFFER_DURATION_IS_VALID(buffer.get())) {
    duration = static_cast<int64_t>(static_cast<double>(GST_BUFFER_DURATION(buffer.get())) /
                                    std::abs(segment_.rate));
  }
  const FrameRateAdapter::Plan plan = adapter_->place(static_cast<int64_t>(times.running_time), duration);
  if (plan.gap) end_chunk();
  if (plan.copies == 0) drop(buffer.get(), times, kRate, dropped);

  BufferPtr previous = std::move(last_input_);
  int64_t slot = plan.first_slot;
  GstFlowReturn flow = GST_FLOW_OK;
  for (uint32_t i = 0; i < plan.fill + plan.copies && flow == GST_FLOW_OK; ++i, ++slot) {
    const bool fills = i < plan.fill;
    GstBuffer* picture = fills ? previous.get() : buffer.get();
    if (picture == nullptr) continue;  // nothing of this stream to fill the slot with
    BufferPtr copy = stamp(BufferPtr::adopt(gst_buffer_copy(picture)), slot);
    if (i != plan.fill) {
      ++stats_.repeated_frames;
      GST_BUFFER_FLAG_UNSET(copy.get(), GST_BUFFER_FLAG_DISCONT);
    }
    flow = enqueue(lock, std::move(copy), dropped);
  }
  // A flush that came while enqueue() waited must not leave a picture of before behind.
  if (flow == GST_FLOW_OK) last_input_ = std::move(buffer);
  return flow;
}

// Moves a writable buffer to a slot of the grid.
BufferPtr ChunkStream::stamp(BufferPtr buffer, int64_t slot) const {
  const int64_t begin = adapter_->slot_time(slot);
  const double length = static_cast<double>(adapter_->slot_time(slot + 1) - begin) * std::abs(segment_.rate);
  GST_BUFFER_PTS(buffer.get()) = gst_segment_position_from_running_time(
      &segment_, GST_FORMAT_TIME, static_cast<guint64>(std::max<int64_t>(begin, 0)));
  GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer.get()) = static_cast<GstClockTime>(std::llround(length));
  return buffer;
}

GstFlowReturn ChunkStream::enqueue(Lock& lock, BufferPtr buffer, Dropped& dropped) {
  if (!assembler_.open()) {
    refusing_ = !make_room(lock, dropped);
    const GstFlowReturn flow = refusal();  // make_room() may have waited
    if (flow != GST_FLOW_OK) return flow;
    stats_.chunks_dropped += refusing_ ? 1 : 0;
  }
  const ChunkTag tag = assembler_.add();
  Item item = times_of(buffer.get());
  if (refusing_) {
    drop(buffer.get(), item, kQueueFull, dropped);
    queue_.mark_discontinuity();
    // A session cannot begin in its second chunk: the next one takes the place of the first.
    if (tag.first && !assembler_.open()) assembler_.restart();
    return GST_FLOW_OK;
  }
  buffer = BufferPtr::adopt(gst_buffer_make_writable(buffer.release()));
  const Sdv2ChunkInfo info = {tag.chunk, tag.index, tag.size, tag.frame, tag.first};
  sdv2_buffer_set_chunk_info(buffer.get(), &info);
  item.owned = GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(buffer.release()));
  queue_.push_frame(tag, std::move(item));
  item_added_.notify_one();
  return GST_FLOW_OK;
}

// Before a chunk begins: waits or drops until fewer than max_chunks wait. False when the new chunk is the one
// to drop.
bool ChunkStream::make_room(Lock& lock, Dropped& dropped) {
  while (queue_.waiting_chunks() >= settings_.max_chunks && refusal() == GST_FLOW_OK) {
    if (settings_.leaky == LeakPolicy::kNone) {
      room_made_.wait(lock);
      continue;
    }
    if (settings_.leaky == LeakPolicy::kNewest) return false;
    const auto oldest = queue_.drop_oldest_chunk();
    if (oldest.empty()) return false;
    ++stats_.chunks_dropped;
    for (const Queue::Entry& entry : oldest) {
      if (entry.kind == Queue::Kind::kFrame)
        drop(GST_BUFFER_CAST(entry.payload.owned.get()), entry.payload, kQueueFull, dropped);
    }
  }
  return true;
}

void ChunkStream::drop(const GstBuffer* buffer, const Item& times, const char* reason, Dropped& dropped) {
  ++(reason == kRate ? stats_.rate_dropped_frames : stats_.frames_dropped);
  dropped.push_back({.running_time = times.running_time,
                     .stream_time = times.stream_time,
                     .timestamp = GST_BUFFER_PTS(buffer),
                     .duration = GST_BUFFER_DURATION(buffer),
                     .frames_out = stats_.frames_out,
                     .frames_dropped = stats_.frames_dropped + stats_.rate_dropped_frames,
                     .reason = reason});
}

ChunkStream::Item ChunkStream::times_of(const GstBuffer* buffer) const {
  Item item;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    item.running_time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    item.stream_time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  }
  return item;
}

// Ends the open chunk, if there is one, with the frames that it has. Whoever waits for more is told by an
// event.
void ChunkStream::end_chunk() {
  const bool first = assembler_.first();
  const auto partial = assembler_.close();
  if (!partial) return;
  if (refusing_) {
    if (first) assembler_.restart();
    return;
  }
  ++stats_.partial_chunks;
  GST_DEBUG_OBJECT(element_, "chunk %" G_GUINT64_FORMAT " ends with %u frames", partial->chunk,
                   partial->frames);
  GstEvent* event = sdv2_chunk_end_event_new(partial->chunk, partial->frames);
  queue_.push_chunk_end(partial->chunk, {.owned = GstPtr<GstMiniObject>::adopt(GST_MINI_OBJECT_CAST(event))});
  item_added_.notify_one();
}

GstClockTime ChunkStream::chunk_duration() const {
  return GST_CLOCK_TIME_IS_VALID(frame_duration_) ? frame_duration_ * settings_.chunk_size
                                                  : GST_CLOCK_TIME_NONE;
}

// Whether time is missing, longer than a chunk, between the last frame and this one. Without a known frame
// duration nothing is missing.
bool ChunkStream::gap_before(const GstBuffer* buffer, GstClockTime running_time) {
  if (!GST_CLOCK_TIME_IS_VALID(running_time)) return false;
  const GstClockTime expected = expected_running_time_;
  const GstClockTime length =
      GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : frame_duration_;
  expected_running_time_ = GST_CLOCK_TIME_IS_VALID(length) ? running_time + length : GST_CLOCK_TIME_NONE;
  return GST_CLOCK_TIME_IS_VALID(expected) && GST_CLOCK_TIME_IS_VALID(chunk_duration()) &&
         running_time > expected + chunk_duration();
}

// One QOS message for each frame. Holds no lock.
void ChunkStream::post_qos(const Dropped& dropped) {
  if (dropped.empty()) return;
  const auto clock = running_clock();
  const bool live = is_live();
  for (const DroppedFrame& frame : dropped) {
    GST_DEBUG_OBJECT(element_, "dropped frame at %" GST_TIME_FORMAT ": %s", GST_TIME_ARGS(frame.timestamp),
                     frame.reason);
    gint64 jitter = 0;
    if (clock && GST_CLOCK_TIME_IS_VALID(frame.running_time)) {
      jitter = GST_CLOCK_DIFF(gst_element_get_base_time(element_) + frame.running_time,
                              gst_clock_get_time(clock.get()));
    }
    GstMessage* message = gst_message_new_qos(GST_OBJECT_CAST(element_), live, frame.running_time,
                                              frame.stream_time, frame.timestamp, frame.duration);
    gst_message_set_qos_values(message, jitter, 1.0, 1000000);
    gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, frame.frames_out, frame.frames_dropped);
    gst_structure_set(gst_message_writable_structure(message), "reason", G_TYPE_STRING, frame.reason,
                      nullptr);
    gst_element_post_message(element_, message);
  }
}

}  // namespace sdv2
