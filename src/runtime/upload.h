// SPDX-License-Identifier: LGPL-2.1-or-later
// Small host data for a device, without waiting for it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace sdv2 {

// Host memory from which a copy to `device` does not block: [bytes], page-locked for a GPU. It may be let go
// as soon as a non-blocking ATen copy is enqueued; ATen keeps it until the copy is done.
at::Tensor staging(int64_t bytes, at::Device device);

// The numbers as a tensor [n] of double or int64 on the device; enqueued on the current stream.
at::Tensor upload(std::span<const double> values, at::Device device);
at::Tensor upload(std::span<const int64_t> values, at::Device device);

}  // namespace sdv2
