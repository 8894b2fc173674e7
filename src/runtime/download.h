// SPDX-License-Identifier: LGPL-2.1-or-later
// Small device data for the host.
#pragma once

#include <ATen/core/Tensor.h>

namespace sdv2 {

// The value of a tensor of one element. Waits for what the calling thread's current stream of its device has
// enqueued so far, and for nothing else on the device.
double fetch(const at::Tensor& number);

}  // namespace sdv2
