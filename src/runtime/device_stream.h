// SPDX-License-Identifier: LGPL-2.1-or-later
// The order of work on a device, for CPUs and GPUs alike: a stream runs what is enqueued on it in order, a
// mark is a place in that order that others can wait for. On a CPU everything is done when it returns, so
// marks are always reached.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>

#include <chrono>
#include <memory>
#include <optional>

namespace sdv2 {

// Copies stand for the same place. A default-constructed mark is reached. Any thread may wait.
class Mark {
 public:
  Mark() = default;

  bool reached() const { return !event_ || event_->query(); }
  // Blocks the calling thread until the place is reached. Failures of the device throw c10::Error.
  void wait() const {
    if (event_) event_->synchronize();
  }
  // When it was enqueued.
  std::chrono::steady_clock::time_point enqueued() const { return recorded_; }
  // Milliseconds of device time from `begin` to this mark; both of one device and reached.
  double milliseconds_since(const Mark& begin) const;

 private:
  friend class DeviceStream;
  std::shared_ptr<c10::Event> event_;  // of a GPU
  std::chrono::steady_clock::time_point recorded_;
};

// Blocks until everything is done that any thread has enqueued on the device.
void synchronize(c10::Device device);

// Tells the allocator that the calling thread's current stream uses a tensor of another stream, so that its
// memory is not given away too early.
void use_on_current_stream(const at::Tensor& tensor);

class DeviceStream {
 public:
  // A stream of its own on a GPU. `urgent`: its kernels go before those of other streams that wait. Errors of
  // the device throw c10::Error.
  explicit DeviceStream(c10::Device device, bool urgent = false);

  c10::Device device() const { return device_; }

  // While it lives, what the calling thread asks of ATen for this device runs on this stream.
  class Current {
   public:
    explicit Current(const DeviceStream& stream) {
      if (stream.stream_) guard_.emplace(*stream.stream_);
    }

   private:
    std::optional<c10::StreamGuard> guard_;
  };

  // The place behind everything that is enqueued so far.
  Mark mark() const;

  // What is enqueued from now on runs after the mark, which may be another device's.
  void wait_for(const Mark& mark) const;

 private:
  c10::Device device_;
  std::optional<c10::Stream> stream_;  // none on a CPU
};

}  // namespace sdv2
