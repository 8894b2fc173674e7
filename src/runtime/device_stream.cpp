// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/device_stream.h"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "runtime/graph_recording.h"

namespace sdv2 {

double Mark::milliseconds_since(const Mark& begin) const {
  if (event_ && begin.event_) return begin.event_->elapsedTime(*event_);
  return std::chrono::duration<double, std::milli>(recorded_ - begin.recorded_).count();
}

std::mutex& graph_recording() {
  static std::mutex mutex;
  return mutex;
}

void synchronize(c10::Device device) {
  if (device.is_cpu()) return;
  const std::lock_guard lock(graph_recording());
  c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

void use_on_current_stream(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return;
  tensor.record_stream(c10::impl::VirtualGuardImpl(tensor.device().type()).getStream(tensor.device()));
}

DeviceStream::DeviceStream(c10::Device device, bool urgent) : device_(device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  stream_ = guard.getStreamFromGlobalPool(device, urgent);
}

Mark DeviceStream::mark() const {
  Mark mark;
  mark.recorded_ = std::chrono::steady_clock::now();
  if (stream_) {
    mark.event_ = std::make_shared<c10::Event>(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    mark.event_->record(*stream_);
  }
  return mark;
}

void DeviceStream::wait_for(const Mark& mark) const {
  if (!mark.event_) return;
  if (stream_)
    mark.event_->block(*stream_);
  else
    mark.event_->synchronize();
}

}  // namespace sdv2
