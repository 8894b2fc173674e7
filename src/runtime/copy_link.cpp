// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ATen/ATen.h>

#include "runtime/link.h"

namespace sdv2 {
namespace {

class CopyLink final : public Link {
 public:
  explicit CopyLink(c10::Device to) : to_(to) {}

  void bring(std::span<at::Tensor* const> tensors, const Mark& written,
             const DeviceStream& receiver) override {
    receiver.wait_for(written);
    const DeviceStream::Current current(receiver);
    for (at::Tensor* const tensor : tensors) {
      use_on_current_stream(*tensor);
      // What a CPU is told to do next reads the copy at once.
      *tensor = tensor->to(to_, /*non_blocking=*/!to_.is_cpu());
    }
  }

 private:
  c10::Device to_;
};

}  // namespace

std::unique_ptr<Link> copy_link(c10::Device to) { return std::make_unique<CopyLink>(to); }

}  // namespace sdv2
