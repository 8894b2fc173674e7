// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform, source side: the task that pushes, activation, and what downstream asks.
#include "common/stream_events.h"
#include "transform/transform_caps.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {

TransformStream::TransformStream(GstElement* element, GstPad* sink, GstPad* src, LiveControl* control)
    : element_(element), sink_(sink), src_(src), control_(control), output_(src) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

TransformStream::~TransformStream() = default;

void TransformStream::model_loading() {
  Lock lock(mutex_);
  model_state_ = ModelState::kLoading;
  auto model = std::exchange(model_, std::nullopt);
  lock.unlock();
  model.reset();
}

void TransformStream::model_ready(LoadedModel model) {
  bool announce = false;
  {
    const Lock lock(mutex_);
    model_ = std::move(model);
    model_state_ = ModelState::kReady;
    session_dead_ = false;
    replan_ = Replan::kNo;
    restart_latency();
    announce = latency_differs();
    engine_changed_.notify_all();
  }
  if (announce) announce_latency();
}

void TransformStream::model_failed() {
  const Lock lock(mutex_);
  model_state_ = ModelState::kFailed;
  engine_changed_.notify_all();
}

void TransformStream::start() {
  const TransformSettings settings = control_->settings();
  control_->forget_changes();
  Lock lock(mutex_);
  auto entries = forget_stream();
  max_chunks_ = settings.max_chunks;
  from_one_frame_ = settings.warm_up == WarmUp::kFrame;
  fit_ = settings.fit;
  bypass_ = settings.bypass;
  warned_of_metas_ = false;
  info_.reset();
  frame_duration_ = GST_CLOCK_TIME_NONE;
  announced_.reset();
  announce_ = false;
  live_ = false;
  configured_latency_ = GST_CLOCK_TIME_NONE;
  session_dead_ = false;
  replan_ = Replan::kNo;
  stats_ = {};
  rung_ = told_rung_ = 0;
  restart_latency();
}

void TransformStream::unblock() {
  Lock lock(mutex_);
  src_result_ = GST_FLOW_FLUSHING;
  work_added_.notify_all();
  engine_changed_.notify_all();
  queries_.wake();
  const SessionPtr session = session_dead_ ? nullptr : session_;
  lock.unlock();
  output_.set_flushing(true);
  if (session) session->flush();
}

void TransformStream::stop() {
  Lock lock(mutex_);
  SessionPtr session = std::move(session_);
  auto entries = forget_stream();
  cancel_late_timer(lock);
  lock.unlock();
  session.reset();
  entries.clear();
  output_.stop();
}

void TransformStream::set_playing(bool playing) {
  auto clock = GstPtr<GstClock>::adopt(playing ? gst_element_get_clock(element_) : nullptr);
  Lock lock(mutex_);
  playing_ = playing && clock;
  base_time_ = gst_element_get_base_time(element_);
  std::swap(clock_, clock);
  if (!playing) cancel_late_timer(lock);
  work_added_.notify_all();  // what is late is decided anew
}

gboolean TransformStream::activate_sink(bool active) {
  if (!active) {
    unblock();
    // Upstream has left chain() once its stream lock can be taken.
    GST_PAD_STREAM_LOCK(sink_);
    GST_PAD_STREAM_UNLOCK(sink_);
    return TRUE;
  }
  const Lock lock(mutex_);
  src_result_ = GST_FLOW_OK;
  return TRUE;
}

gboolean TransformStream::activate_src(bool active) {
  if (!active) {
    unblock();
    return gst_pad_stop_task(src_);
  }
  output_.set_flushing(false);
  const Lock lock(mutex_);
  src_result_ = GST_FLOW_OK;
  start_task();
  return TRUE;
}

void TransformStream::loop_entry(gpointer self) { static_cast<TransformStream*>(self)->loop(); }

// With the mutex held. A pad that is not active gets its task from activate_src().
void TransformStream::start_task() {
  if (GST_PAD_MODE(src_) == GST_PAD_MODE_PUSH) gst_pad_start_task(src_, loop_entry, this, nullptr);
}

void TransformStream::loop() {
  Lock lock(mutex_);
  while (src_result_ == GST_FLOW_OK) {
    if (do_chores(lock)) continue;
    if (timeline_.head() == Timeline::Head::kReady) {
      const GstFlowReturn flow = push_next(lock);
      // A flush or a state change meanwhile outranks what the push returned.
      if (src_result_ == GST_FLOW_OK) src_result_ = flow;
      break;
    }
    if (timeline_.head() == Timeline::Head::kPending && settle_late(lock)) continue;
    if (src_result_ == GST_FLOW_OK && timeline_.head() != Timeline::Head::kReady) work_added_.wait(lock);
  }
  if (src_result_ != GST_FLOW_OK) end_task(lock);
}

// What other threads have left to be done without a lock. True when there was something.
bool TransformStream::do_chores(Lock& lock) {
  if (ledger_.any_releasable()) return give_room_back(lock), true;
  if (!failures_.empty()) {
    const auto failures = std::exchange(failures_, {});
    lock.unlock();
    for (const Failure& failure : failures) report(failure);
    lock.lock();
    return true;
  }
  if (replan_ == Replan::kWanted && ledger_.held() == 0) return replan(lock), true;
  if (std::exchange(announce_, false)) {
    lock.unlock();
    announce_latency();
    lock.lock();
    return true;
  }
  return false;
}

void TransformStream::give_room_back(Lock& lock) {
  const auto numbers = ledger_.take_releasable();
  const SessionPtr session = session_;
  lock.unlock();
  for (const int64_t number : numbers) session->release_chunk(number);
  lock.lock();
  ledger_.released(numbers.size());
  engine_changed_.notify_all();
}

// Takes the next entry out and pushes it with the mutex released.
GstFlowReturn TransformStream::push_next(Lock& lock) {
  Timeline::Entry entry = *timeline_.pop();
  if (entry.frame) return push_frame(lock, std::move(entry));
  if (entry.payload.query != nullptr) return queries_.push(lock, src_, entry.payload.query), GST_FLOW_OK;
  return push_event(lock, GstPtr<GstEvent>::adopt(GST_EVENT_CAST(entry.payload.owned.release())));
}

GstFlowReturn TransformStream::push_event(Lock& lock, GstPtr<GstEvent> event) {
  const GstEventType type = GST_EVENT_TYPE(event.get());
  lock.unlock();
  GstFlowReturn flow = GST_FLOW_OK;
  if (type == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    GstVideoInfo info;
    gst_event_parse_caps(event.get(), &caps);
    gst_video_info_from_caps(&info, caps);
    output_.set_input(caps, info);
    gst_pad_check_reconfigure(src_);
    flow = output_.negotiate(fit_);
  } else {
    // A format that a flush has kept from leaving goes before everything that follows it.
    if (type != GST_EVENT_STREAM_START && output_.needs_negotiation()) flow = output_.negotiate(fit_);
    // Refused sticky events show in the next push's flow; refused others are not an error.
    gst_pad_push_event(src_, event.release());
  }
  lock.lock();
  if (flow != GST_FLOW_OK) return flow;
  // Unless the next stream has begun already, the task has nothing to do.
  return type == GST_EVENT_EOS && eos_ ? GST_FLOW_EOS : GST_FLOW_OK;
}

// Downstream takes no more buffers: drops what it would refuse, up to the event that begins something new.
// When there is none yet, upstream is told.
void TransformStream::discard_until_new_stream() {
  downstream_eos_ = true;
  timeline_.settle_all({Outcome::kDrop, nullptr});
  while (const Timeline::Entry* entry = timeline_.front()) {
    if (!entry->frame && entry->payload.query == nullptr) {
      if (ends_discarding(GST_EVENT_TYPE(entry->payload.event()))) {
        downstream_eos_ = false;
        break;
      }
    }
    const auto discarded = timeline_.pop();
    if (discarded->frame) ledger_.frame_left(discarded->chunk);
    if (discarded->payload.query != nullptr) queries_.refuse(discarded->payload.query);
  }
  engine_changed_.notify_all();
}

// The task stops until a flush, a new stream, or (not linked) a RECONFIGURE event starts it again.
void TransformStream::end_task(Lock& lock) {
  const GstFlowReturn flow = src_result_;
  const bool at_end = eos_;
  const bool error_posted = error_posted_;
  GST_DEBUG_OBJECT(element_, "task pauses: %s", gst_flow_get_name(flow));
  gst_pad_pause_task(src_);
  engine_changed_.notify_all();
  queries_.wake();
  lock.unlock();
  // Upstream does not call any more after EOS, so the application has to learn it from here.
  if (at_end && is_failure(flow)) {
    if (!error_posted) GST_ELEMENT_FLOW_ERROR(element_, flow);
    gst_pad_push_event(src_, gst_event_new_eos());
  }
}

// What a flush took out: sticky events are kept, and a format is negotiated before the next frame. Holds no
// lock.
void TransformStream::keep_sticky_events(const std::vector<Timeline::Entry>& entries) {
  for (const Timeline::Entry& entry : entries) {
    if (entry.frame || entry.payload.query != nullptr) continue;
    GstEvent* event = entry.payload.event();
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      GstVideoInfo info;
      gst_event_parse_caps(event, &caps);
      gst_video_info_from_caps(&info, caps);
      output_.set_input(caps, info);
    } else {
      keep_sticky_event(src_, event);
    }
  }
}

// Back to the state before the first buffer, but for the format and the counters. Returns what was in the
// timeline.
std::vector<TransformStream::Timeline::Entry> TransformStream::forget_stream() {
  auto entries = timeline_.clear();
  ledger_.clear();
  open_.reset();
  failures_.clear();
  failing_ = false;
  error_posted_ = false;
  can_repeat_ = false;
  for (const PendingMessage& pending : pending_messages_) gst_structure_free(pending.message);
  pending_messages_.clear();
  rung_ = told_rung_;
  stream_fresh_ = true;
  eos_ = false;
  downstream_eos_ = false;
  queries_.forget();
  gap_in_output_ = false;
  earliest_ = GST_CLOCK_TIME_NONE;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  return entries;
}

gboolean TransformStream::src_event(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_RECONFIGURE: {
      const Lock lock(mutex_);
      if (src_result_ == GST_FLOW_NOT_LINKED) {
        src_result_ = GST_FLOW_OK;
        start_task();
      }
      break;
    }
    case GST_EVENT_LATENCY: {
      const Lock lock(mutex_);
      gst_event_parse_latency(event, &configured_latency_);
      work_added_.notify_all();
      break;
    }
    case GST_EVENT_QOS: {
      GstClockTimeDiff diff = 0;
      GstClockTime timestamp = GST_CLOCK_TIME_NONE;
      gst_event_parse_qos(event, nullptr, nullptr, &diff, &timestamp);
      const Lock lock(mutex_);
      const bool late = GST_CLOCK_TIME_IS_VALID(timestamp) && diff > 0;
      earliest_ = late ? timestamp + 2 * static_cast<GstClockTime>(diff) : GST_CLOCK_TIME_NONE;
      break;
    }
    case GST_EVENT_CUSTOM_UPSTREAM:
    case GST_EVENT_CUSTOM_BOTH:
    case GST_EVENT_CUSTOM_BOTH_OOB: {
      const auto owned = GstPtr<GstEvent>::ref(event);
      const GstStructure* structure = gst_event_get_structure(event);
      if (structure == nullptr || !gst_structure_has_name(structure, kControlName)) break;
      gst_event_unref(event);
      return control(structure);
    }
    default:
      break;
  }
  return gst_pad_event_default(src_, GST_OBJECT_CAST(element_), event);
}

gboolean TransformStream::src_query(GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      answer_transform_caps_query(src_, sink_, query);
      return TRUE;
    case GST_QUERY_SCHEDULING:
      gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
      return TRUE;
    case GST_QUERY_LATENCY:
      return answer_latency(query);
    default:
      return gst_pad_query_default(src_, GST_OBJECT_CAST(element_), query);
  }
}

}  // namespace sdv2
