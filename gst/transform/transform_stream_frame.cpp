// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: one frame leaves, with the picture that its outcome says. Runs in the source pad's task.
#include "transform/transform_caps.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {

// The mutex is released while pixels are made and pushed.
GstFlowReturn TransformStream::push_frame(Lock& lock, Timeline::Entry entry) {
  const auto number = entry.chunk > 0 ? ledger_.number(entry.chunk) : std::nullopt;
  const SessionPtr session = session_;
  const bool discont = gap_in_output_;
  if (entry.settled.outcome == Outcome::kStop) return stop_with_error(lock);
  auto messages = take_messages(number);
  const bool bypassed = entry.payload.bypass && entry.payload.has_pixels;
  const char* reason = entry.settled.reason;
  if (bypassed && entry.settled.outcome == Outcome::kTransformed) {
    entry.settled = {Outcome::kSource, nullptr};
    reason = nullptr;
  }
  lock.unlock();

  if (entry.payload.bypass_changed) messages.push_back(new_applied(element_, "bypass"));
  post_messages(messages, entry.payload);
  const TransformSettings settings = control_->settings();
  const bool keeps_last = settings.on_late == OnLate::kRepeat || settings.on_error == OnError::kRepeat ||
                          settings.on_device_loss == OnDeviceLoss::kReplan;
  GstFlowReturn flow = GST_FLOW_OK;
  if (gst_pad_check_reconfigure(src_) || output_.needs_negotiation()) {
    flow = output_.negotiate(fit_);
    if (flow != GST_FLOW_OK) gst_pad_mark_reconfigure(src_);
  }
  GstBuffer* out = nullptr;
  if (flow == GST_FLOW_OK && entry.settled.outcome != Outcome::kDrop)
    flow = output_.acquire(entry.payload.buffer(), &out);
  auto owned = GstPtr<GstBuffer>::adopt(out);
  Outcome outcome = Outcome::kDrop;
  EngineStatus status;
  if (flow == GST_FLOW_OK && out != nullptr) {
    outcome = write_picture(entry, number, session, out, &status);
    if (!status.ok()) reason = on_error_settlement(settings.on_error).reason;
  }

  // The engine's room is free before a push that may wait for the clock.
  lock.lock();
  if (entry.chunk > 0) ledger_.frame_left(entry.chunk);
  if (ledger_.any_releasable()) give_room_back(lock);
  if (src_result_ != GST_FLOW_OK) return src_result_;
  if (!status.ok()) {
    fail_chunk(entry.chunk, status);
    if (outcome == Outcome::kStop) return stop_with_error(lock);
  }
  if (flow != GST_FLOW_OK) return flow;
  const Outcome counted = outcome == Outcome::kTransformed ? entry.settled.counts_as : outcome;
  count(counted);
  lock.unlock();

  if (outcome == Outcome::kDrop && reason == nullptr) reason = "nothing-to-repeat";
  if (counted != Outcome::kTransformed && reason != nullptr) post_qos(entry.payload, reason);
  if (outcome != Outcome::kDrop) {
    if (discont) GST_BUFFER_FLAG_SET(out, GST_BUFFER_FLAG_DISCONT);
    // An element that works in place must be able to: a reference is kept only where it is needed.
    if (keeps_last && outcome != Outcome::kRepeat) output_.keep_last(out);
    if (!keeps_last) output_.forget_last();
    flow = gst_pad_push(src_, owned.release());
  }
  lock.lock();
  can_repeat_ = output_.has_last();
  if (src_result_ != GST_FLOW_OK) return src_result_;
  if (flow == GST_FLOW_OK && outcome != Outcome::kDrop) ++stats_.frames_out;
  if (flow != GST_FLOW_EOS) return flow;
  GST_DEBUG_OBJECT(element_, "downstream is at its end");
  discard_until_new_stream();
  return GST_FLOW_OK;
}

// Whatever failed has been noted; the application learns it before the stream ends.
GstFlowReturn TransformStream::stop_with_error(Lock& lock) {
  error_posted_ = true;
  do_chores(lock);
  return GST_FLOW_ERROR;
}

// Fills `out` as the outcome says, or by the next best way; what it has become. `status`: why the engine's
// picture could not be read.
Outcome TransformStream::write_picture(const Timeline::Entry& entry, std::optional<int64_t> number,
                                       const SessionPtr& session, GstBuffer* out, EngineStatus* status) {
  Outcome outcome = entry.settled.outcome;
  if (outcome == Outcome::kTransformed) {
    GstVideoFrame frame;
    GstVideoInfo info = output_.info();
    if (number && gst_video_frame_map(&frame, &info, out, GST_MAP_WRITE)) {
      const sdv2_image image = image_of(frame);
      *status = session->read_frame(*number, entry.index, image);
      gst_video_frame_unmap(&frame);
    } else {
      *status = {SDV2_INTERNAL, "The output buffer cannot be written."};
    }
    if (status->ok()) return outcome;
    Lock lock(mutex_);
    outcome = on_error_settlement(error_policy(*status)).outcome;
    lock.unlock();
  }
  if (outcome == Outcome::kSource) {
    if (entry.payload.has_pixels && output_.write_source(entry.payload.buffer(), out)) return outcome;
    outcome = Outcome::kRepeat;
  }
  if (outcome == Outcome::kRepeat)
    return output_.has_last() && output_.write_last(out) ? outcome : Outcome::kDrop;
  return outcome;
}

// With the mutex held.
void TransformStream::count(Outcome outcome) {
  gap_in_output_ = outcome == Outcome::kDrop;
  switch (outcome) {
    case Outcome::kTransformed:
      ++stats_.frames_transformed;
      break;
    case Outcome::kSource:
      ++stats_.frames_passed;
      break;
    case Outcome::kRepeat:
      ++stats_.frames_repeated;
      break;
    default:
      ++stats_.frames_dropped;
      break;
  }
}

}  // namespace sdv2
