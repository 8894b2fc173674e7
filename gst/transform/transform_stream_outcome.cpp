// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: what the engine and the clock say about chunks, and the messages about it.
#include <cstddef>

#include "transform/engine_error.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {
namespace {

// Keeps the element alive while its timer is armed.
struct TimerTarget {
  GstPtr<GstElement> element;
  std::mutex* mutex;
  std::condition_variable* wake;
};

constexpr const char* kQualityName = "sdv2-quality";

const char* show_name(int show) {
  switch (show) {
    case SDV2_SHOW_RESTYLED:
      return "restyled";
    case SDV2_SHOW_STILL:
      return "still";
    case SDV2_SHOW_REPEATED:
      return "repeated";
    case SDV2_SHOW_SOURCE:
      return "source";
    default:
      return "unknown";
  }
}

}  // namespace

// In a thread of the engine: notes the result and leaves the work to the source pad's task.
void TransformStream::chunk_done(const EngineSession* session, const sdv2_chunk_info& info) {
  ChunkResult result;
  result.number = info.chunk;
  result.code = info.code;
  result.message = info.message != nullptr ? info.message : "";
  result.submit_ns = info.submit_ns;
  result.done_ns = info.done_ns;
  // Engines of before quality was told send less.
  if (info.struct_size >= offsetof(sdv2_chunk_info, show) + sizeof info.show) {
    result.rung = info.rung;
    result.show = static_cast<int>(info.show);
  }
  result.steps = info.steps;
  const Lock lock(mutex_);
  if (session != session_.get()) return;
  const auto finished = ledger_.finished(info.chunk, std::move(result));
  if (finished) take_result(*finished);
  work_added_.notify_one();
}

Settlement TransformStream::settlement_of(int show) {
  constexpr const char* kQuality = "quality";
  switch (show) {
    case SDV2_SHOW_REPEATED:
      return {Outcome::kTransformed, kQuality, Outcome::kRepeat};
    case SDV2_SHOW_SOURCE:
      return {Outcome::kTransformed, kQuality, Outcome::kSource};
    default:
      return {};
  }
}

// With the mutex held: a change of quality is told with the first frame that is made with it.
void TransformStream::note_quality(const ChunkResult& result) {
  if (result.rung == rung_) return;
  GstStructure* message = gst_structure_new(kQualityName, "rung", G_TYPE_INT, result.rung, "previous-rung",
                                            G_TYPE_INT, rung_, "steps", G_TYPE_INT, result.steps, "show",
                                            G_TYPE_STRING, show_name(result.show), nullptr);
  rung_ = result.rung;
  pending_messages_.push_back({result.number, message});
}

// With the mutex held.
void TransformStream::take_result(const ChunkLedger::Finished& finished) {
  const ChunkResult& result = finished.result;
  if (result.code != SDV2_OK) {
    fail_chunk(finished.chunk, {static_cast<sdv2_code>(result.code), result.message});
    return;
  }
  failing_ = false;
  note_quality(result);
  timeline_.settle(finished.chunk, settlement_of(result.show));
  if (estimator_.observe(result.done_ns - result.submit_ns, result.done_ns) && latency_differs())
    announce_ = true;
}

// With the mutex held. One report per row of failures; a device that has failed stays dead.
void TransformStream::fail_chunk(uint64_t chunk, const EngineStatus& status) {
  if (status.code == SDV2_CANCELLED) return;  // a flush is under way and clears everything
  ++stats_.chunks_failed;
  const bool died = status.code == SDV2_DEVICE && !session_dead_;
  if (died && may_replan()) replan_ = Replan::kWanted;
  const OnError policy = error_policy(status);
  const Settlement settlement = on_error_settlement(policy);
  if (!std::exchange(failing_, true) || died) failures_.push_back({status, policy == OnError::kStop});
  timeline_.settle(chunk, settlement);
  if (died) {
    session_dead_ = true;
    timeline_.settle_all(settlement);
    engine_changed_.notify_all();
  }
  work_added_.notify_one();
}

// Holds no lock.
void TransformStream::report(const Failure& failure) {
  post_engine_status(element_, failure.fatal ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING,
                     failure.reloading ? "The model could not be loaded on the devices that are left."
                     : failure.status.code == SDV2_DEVICE ? "The device has failed."
                                                          : "A chunk could not be transformed.",
                     failure.status);
}

// With the mutex held and a pending frame at the head: settles its chunk when its time has come, and sees
// that the task wakes when it will. True when there is something new to look at.
bool TransformStream::settle_late(Lock& lock) {
  const OnLate policy = control_->settings().on_late;
  if (policy == OnLate::kWait || (policy == OnLate::kRepeat && !can_repeat_)) return false;
  const Timeline::Entry& head = *timeline_.front();
  const GstClockTime running_time = head.payload.running_time;
  if (!playing_ || !live_ || !GST_CLOCK_TIME_IS_VALID(configured_latency_) ||
      !GST_CLOCK_TIME_IS_VALID(running_time))
    return false;
  const GstClockTime due = base_time_ + running_time + configured_latency_;
  if (gst_clock_get_time(clock_.get()) >= due) {
    GST_DEBUG_OBJECT(element_, "chunk %" G_GUINT64_FORMAT " is late", head.chunk);
    ++stats_.chunks_late;
    return timeline_.settle(head.chunk, on_late_settlement(policy, "late"));
  }
  if (late_timer_ != nullptr && late_timer_time_ == due) return false;
  arm_late_timer(lock, due);
  return true;
}

gboolean TransformStream::on_late_timer(GstClock*, GstClockTime, GstClockID, gpointer data) {
  auto* target = static_cast<TimerTarget*>(data);
  const std::lock_guard lock(*target->mutex);
  target->wake->notify_all();
  return TRUE;
}

void TransformStream::arm_late_timer(Lock& lock, GstClockTime time) {
  cancel_late_timer(lock);
  late_timer_ = gst_clock_new_single_shot_id(clock_.get(), time);
  late_timer_time_ = time;
  const GstClockID id = gst_clock_id_ref(late_timer_);
  lock.unlock();
  auto* target = new TimerTarget{GstPtr<GstElement>::ref(element_), &mutex_, &work_added_};
  gst_clock_id_wait_async(id, on_late_timer, target,
                          [](gpointer data) { delete static_cast<TimerTarget*>(data); });
  gst_clock_id_unref(id);
  lock.lock();
}

void TransformStream::cancel_late_timer(Lock& lock) {
  const GstClockID id = std::exchange(late_timer_, nullptr);
  if (id == nullptr) return;
  lock.unlock();
  gst_clock_id_unschedule(id);
  gst_clock_id_unref(id);
  lock.lock();
}

// With the mutex held: the messages that wait for a frame of this chunk of the engine.
std::vector<GstStructure*> TransformStream::take_messages(std::optional<int64_t> number) {
  std::vector<GstStructure*> ready;
  if (!number) return ready;
  std::erase_if(pending_messages_, [&](const PendingMessage& pending) {
    if (pending.first_chunk > *number) return false;
    if (gst_structure_has_name(pending.message, kQualityName))
      gst_structure_get_int(pending.message, "rung", &told_rung_);
    ready.push_back(pending.message);
    return true;
  });
  return ready;
}

// Takes the structures. Holds no lock.
void TransformStream::post_messages(const std::vector<GstStructure*>& messages, const Item& item) {
  for (GstStructure* message : messages) {
    gst_structure_set(message, "timestamp", G_TYPE_UINT64, GST_BUFFER_PTS(item.buffer()), "running-time",
                      G_TYPE_UINT64, item.running_time, "stream-time", G_TYPE_UINT64, item.stream_time,
                      nullptr);
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT_CAST(element_), message));
  }
}

// Holds no lock.
void TransformStream::post_qos(const Item& item, const char* reason) {
  Lock lock(mutex_);
  const bool live = live_;
  const guint64 processed = stats_.frames_transformed;
  const guint64 lost = stats_.frames_passed + stats_.frames_repeated + stats_.frames_dropped;
  const auto clock = GstPtr<GstClock>::ref(clock_.get());
  const GstClockTime due = base_time_ + item.running_time +
                           (GST_CLOCK_TIME_IS_VALID(configured_latency_) ? configured_latency_ : 0);
  lock.unlock();
  gint64 jitter = 0;
  if (clock && GST_CLOCK_TIME_IS_VALID(item.running_time))
    jitter = GST_CLOCK_DIFF(due, gst_clock_get_time(clock.get()));
  GstMessage* message =
      gst_message_new_qos(GST_OBJECT_CAST(element_), live, item.running_time, item.stream_time,
                          GST_BUFFER_PTS(item.buffer()), GST_BUFFER_DURATION(item.buffer()));
  gst_message_set_qos_values(message, jitter, 1.0, 1000000);
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, processed, lost);
  gst_structure_set(gst_message_writable_structure(message), "reason", G_TYPE_STRING, reason, nullptr);
  gst_element_post_message(element_, message);
}

}  // namespace sdv2
