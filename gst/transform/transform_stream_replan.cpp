// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: a device is lost, and the stream goes on with the others (on-device-loss=replan).
#include "transform/transform_stream.h"

namespace sdv2 {

// With the mutex held.
bool TransformStream::may_replan() const {
  return control_->settings().on_device_loss == OnDeviceLoss::kReplan && reload_ && model_ &&
         model_->info.devices.size() > 1;
}

// With the mutex held: what happens to frames that the engine could not transform. A stream that goes on
// without a device does not stop for it.
OnError TransformStream::error_policy(const EngineStatus& status) const {
  const OnError policy = control_->settings().on_error;
  const bool goes_on = replan_ != Replan::kNo || (status.code == SDV2_DEVICE && may_replan());
  return goes_on && policy == OnError::kStop ? OnError::kRepeat : policy;
}

// With the mutex held: the session cannot be opened, because a device has failed meanwhile. False: the stream
// cannot go on without it.
bool TransformStream::lose_device(const EngineStatus& status) {
  if (status.code != SDV2_DEVICE || !may_replan()) return false;
  session_dead_ = true;
  replan_ = Replan::kWanted;
  failures_.push_back({status, false});
  work_added_.notify_one();
  return true;
}

// In the source pad's task, once the dead session's last picture has left: has the model loaded on the
// devices that are left. Until it is there frames are treated as those that the failure has hit.
void TransformStream::replan(Lock& lock) {
  replan_ = Replan::kUnderWay;
  SessionPtr session = std::move(session_);
  auto model = std::exchange(model_->model, nullptr);
  const size_t devices = std::exchange(model_->info.devices, {}).size();
  // The new session begins with what was set until now.
  for (PendingMessage& pending : pending_messages_) pending.first_chunk = 0;
  lock.unlock();
  ModelInfo now;
  EngineStatus status = model->info(&now);
  session.reset();
  model.reset();
  if (status.ok() && now.devices.size() >= devices)
    status = {SDV2_UNSUPPORTED, "The engine does not tell which device has failed."};
  if (!status.ok())
    replan_failed(status);
  else
    reload_(now.devices);
  lock.lock();
}

// In upstream's thread: a stream that is not live loses no more frames, but waits for the devices that are
// left.
void TransformStream::await_replan(Lock& lock) {
  if (replan_ == Replan::kNo || live_) return;
  if (open_) submit(lock);
  engine_changed_.wait(lock, [this] { return replan_ == Replan::kNo || refusal() != GST_FLOW_OK; });
}

void TransformStream::replan_failed(const EngineStatus& status) {
  const Lock lock(mutex_);
  replan_ = Replan::kNo;
  failures_.push_back({status, control_->settings().on_error == OnError::kStop, true});
  engine_changed_.notify_all();
  work_added_.notify_all();
}

}  // namespace sdv2
