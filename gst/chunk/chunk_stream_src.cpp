// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk, source side: the task that pushes, activation, and what downstream asks.
#include "chunk/chunk_stream.h"
#include "common/stream_events.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_chunk_debug);
#define GST_CAT_DEFAULT gst_sdv2_chunk_debug

namespace sdv2 {

ChunkStream::ChunkStream(GstElement* element, GstPad* sink, GstPad* src)
    : element_(element), sink_(sink), src_(src), assembler_(ChunkSizes{}) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void ChunkStream::start(const ChunkSettings& settings) {
  const Lock lock(mutex_);
  settings_ = settings;
  forget_stream();
  assembler_ = ChunkAssembler(settings.sizes());
  adapter_.reset();
  if (!settings.framerate.as_input()) {
    adapter_.emplace(settings.framerate.numerator, settings.framerate.denominator, settings.chunk_size);
  }
  info_.reset();
  frame_duration_ = GST_CLOCK_TIME_NONE;
  live_ = true;
  stats_ = {};
}

FrameRate ChunkStream::framerate() const {
  const Lock lock(mutex_);
  return settings_.framerate;
}

void ChunkStream::unblock() {
  const Lock lock(mutex_);
  src_result_ = GST_FLOW_FLUSHING;
  item_added_.notify_all();
  room_made_.notify_all();
  queries_.wake();
}

gboolean ChunkStream::activate_sink(bool active) {
  if (!active) {
    unblock();
    // Upstream has left chain() once its stream lock can be taken.
    GST_PAD_STREAM_LOCK(sink_);
    cancel_timeout();
    Lock lock(mutex_);
    auto entries = forget_stream();
    lock.unlock();
    entries.clear();
    GST_PAD_STREAM_UNLOCK(sink_);
    return TRUE;
  }
  const Lock lock(mutex_);
  src_result_ = GST_FLOW_OK;
  return TRUE;
}

gboolean ChunkStream::activate_src(bool active) {
  if (!active) {
    unblock();
    return gst_pad_stop_task(src_);
  }
  const Lock lock(mutex_);
  src_result_ = GST_FLOW_OK;
  start_task();
  return TRUE;
}

void ChunkStream::loop_entry(gpointer self) { static_cast<ChunkStream*>(self)->loop(); }

// With the mutex held. A pad that is not active gets its task from activate_src().
void ChunkStream::start_task() {
  if (GST_PAD_MODE(src_) == GST_PAD_MODE_PUSH) gst_pad_start_task(src_, loop_entry, this, nullptr);
}

void ChunkStream::loop() {
  Lock lock(mutex_);
  item_added_.wait(lock, [this] { return src_result_ != GST_FLOW_OK || !queue_.empty(); });
  if (src_result_ == GST_FLOW_OK) {
    const GstFlowReturn flow = push_next(lock);
    // A flush or a state change meanwhile outranks what the push returned.
    if (src_result_ == GST_FLOW_OK) src_result_ = flow;
  }
  if (src_result_ != GST_FLOW_OK) end_task(lock);
}

// Takes the next entry out and pushes it with the mutex released.
GstFlowReturn ChunkStream::push_next(Lock& lock) {
  Queue::Entry entry = *queue_.pop();
  room_made_.notify_one();
  if (entry.kind == Queue::Kind::kFrame) return push_frame(lock, std::move(entry));
  if (entry.payload.query != nullptr) return queries_.push(lock, src_, entry.payload.query), GST_FLOW_OK;
  GstEvent* event = GST_EVENT_CAST(entry.payload.owned.release());
  const bool ends_stream = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  lock.unlock();
  // Refused sticky events show in the next push's flow; refused others are not an error.
  gst_pad_push_event(src_, event);
  lock.lock();
  // Unless the next stream has begun already, the task has nothing to do.
  return ends_stream && eos_ ? GST_FLOW_EOS : GST_FLOW_OK;
}

GstFlowReturn ChunkStream::push_frame(Lock& lock, Queue::Entry entry) {
  GstBuffer* buffer = GST_BUFFER_CAST(entry.payload.owned.release());
  const bool begins_chunk = entry.tag.index == 0;
  lock.unlock();
  if (entry.discontinuity) {
    buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  }
  const GstFlowReturn flow = gst_pad_push(src_, buffer);
  lock.lock();
  if (src_result_ != GST_FLOW_OK) return src_result_;
  if (flow == GST_FLOW_OK) {
    ++stats_.frames_out;
    stats_.chunks_out += begins_chunk ? 1 : 0;
  }
  if (flow != GST_FLOW_EOS) return flow;
  GST_DEBUG_OBJECT(element_, "downstream is at its end");
  discard_until_new_stream();
  return GST_FLOW_OK;
}

// Downstream takes no more buffers: drops what it would refuse, up to the event that begins something new.
// When there is none yet, upstream is told.
void ChunkStream::discard_until_new_stream() {
  downstream_eos_ = true;
  while (const Queue::Entry* entry = queue_.front()) {
    if (entry->kind == Queue::Kind::kOther && entry->payload.query == nullptr &&
        ends_discarding(GST_EVENT_TYPE(GST_EVENT_CAST(entry->payload.owned.get())))) {
      downstream_eos_ = false;
      break;
    }
    const auto discarded = queue_.pop();
    if (discarded->payload.query != nullptr) queries_.refuse(discarded->payload.query);
  }
  room_made_.notify_all();
}

// The task stops until a flush, a new stream, or (not linked) a RECONFIGURE event starts it again.
void ChunkStream::end_task(Lock& lock) {
  const GstFlowReturn flow = src_result_;
  const bool at_end = eos_;
  GST_DEBUG_OBJECT(element_, "task pauses: %s", gst_flow_get_name(flow));
  gst_pad_pause_task(src_);
  std::vector<Queue::Entry> entries;
  if (flow != GST_FLOW_NOT_LINKED && flow != GST_FLOW_EOS) entries = queue_.clear();
  room_made_.notify_all();
  queries_.wake();
  lock.unlock();
  keep_sticky_events(entries);
  // Upstream does not call any more after EOS, so the application has to learn it from here.
  if (at_end && is_failure(flow)) {
    GST_ELEMENT_FLOW_ERROR(element_, flow);
    gst_pad_push_event(src_, gst_event_new_eos());
  }
}

// What a flush took out. Holds no lock.
void ChunkStream::keep_sticky_events(const std::vector<Queue::Entry>& entries) {
  for (const Queue::Entry& entry : entries) {
    GstMiniObject* object = entry.payload.owned.get();
    if (object != nullptr && GST_IS_EVENT(object)) keep_sticky_event(src_, GST_EVENT_CAST(object));
  }
}

// Back to the state before the first buffer, but for the format and the counters. Returns what was in the
// queue.
std::vector<ChunkStream::Queue::Entry> ChunkStream::forget_stream() {
  auto entries = queue_.clear();
  assembler_.close();
  assembler_.restart();
  if (adapter_) adapter_->reset();
  last_input_ = {};
  refusing_ = false;
  eos_ = false;
  downstream_eos_ = false;
  queries_.forget();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  expected_running_time_ = GST_CLOCK_TIME_NONE;
  last_arrival_ = GST_CLOCK_TIME_NONE;
  return entries;
}

gboolean ChunkStream::src_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) {
    const Lock lock(mutex_);
    if (src_result_ == GST_FLOW_NOT_LINKED) {
      src_result_ = GST_FLOW_OK;
      start_task();
    }
  }
  return gst_pad_event_default(src_, GST_OBJECT_CAST(element_), event);
}

gboolean ChunkStream::src_query(GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      answer_caps_query(src_, sink_, framerate(), query);
      return TRUE;
    case GST_QUERY_SCHEDULING:
      gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
      return TRUE;
    case GST_QUERY_LATENCY: {
      if (!gst_pad_peer_query(sink_, query)) return FALSE;
      Lock lock(mutex_);
      QueueLatency own;
      if (GST_CLOCK_TIME_IS_VALID(frame_duration_)) {
        // Frame-rate adaption gives frames a time up to half a frame earlier.
        own.min = adapter_ ? frame_duration_ / 2 : 0;
        own.capacity = frame_duration_ * settings_.chunk_size * settings_.max_chunks;
      }
      own.leaky = settings_.leaky != LeakPolicy::kNone;
      lock.unlock();
      const bool live = add_latency(query, own);
      lock.lock();
      live_ = live;
      return TRUE;
    }
    default:
      return gst_pad_query_default(src_, GST_OBJECT_CAST(element_), query);
  }
}

ChunkStats ChunkStream::stats() const {
  const Lock lock(mutex_);
  ChunkStats stats = stats_;
  stats.frames_waiting = queue_.frames();
  stats.chunks_waiting = queue_.waiting_chunks();
  return stats;
}

}  // namespace sdv2
