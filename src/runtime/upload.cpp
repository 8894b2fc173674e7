// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/upload.h"

#include <ATen/ATen.h>

#include <cstring>

namespace sdv2 {
namespace {

template <class T>
at::Tensor upload_as(std::span<const T> values, at::ScalarType type, at::Device device) {
  const at::Tensor host = staging(static_cast<int64_t>(values.size_bytes()), device);
  std::memcpy(host.mutable_data_ptr(), values.data(), values.size_bytes());
  return host.view(type).to(device, /*non_blocking=*/true);
}

}  // namespace

at::Tensor staging(int64_t bytes, at::Device device) {
  return at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(device.is_cuda()));
}

at::Tensor upload(std::span<const double> values, at::Device device) {
  return upload_as(values, at::kDouble, device);
}

at::Tensor upload(std::span<const int64_t> values, at::Device device) {
  return upload_as(values, at::kLong, device);
}

}  // namespace sdv2
