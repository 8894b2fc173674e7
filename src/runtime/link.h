// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of tensors from one device to another.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <span>

#include "base/result.h"
#include "runtime/device_stream.h"

namespace sdv2 {

// From one device to one other. One thread at a time, but for abort().
class Link {
 public:
  virtual ~Link() = default;

  // Puts in place of every tensor (contiguous, on the sending device) its copy on the receiving one. The copy
  // is of what they hold at `written`, a mark of the sending device. What is enqueued on `receiver`
  // afterwards finds it there; the caller does not wait on a GPU. Failures throw c10::Error.
  virtual void bring(std::span<at::Tensor* const> tensors, const Mark& written,
                     const DeviceStream& receiver) = 0;

  // Ends transfers that wait for a device which does not answer; nothing can be brought afterwards. Any
  // thread.
  virtual void abort() {}
};

// Copies in the order of the receiver's stream: between CPUs and GPUs, and between GPUs where NCCL cannot be
// used.
std::unique_ptr<Link> copy_link(c10::Device to);

// NCCL send and receive between two GPUs of this process, on streams of their own, so that a transfer runs
// beside what both devices compute. `from` may equal `to`. Takes a moment and some memory of both devices.
// Errors: kUnsupported in a build without NCCL, kDevice when NCCL cannot connect the devices.
Result<std::unique_ptr<Link>> nccl_link(c10::Device from, c10::Device to);

}  // namespace sdv2
