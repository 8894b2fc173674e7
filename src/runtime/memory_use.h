// SPDX-License-Identifier: LGPL-2.1-or-later
// How much memory the process uses.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

namespace sdv2 {

// The most host memory that the process has held so far, in bytes (VmHWM); 0 where the system does not tell.
int64_t peak_host_memory();

struct DeviceMemory {
  c10::Device device;
  int64_t bytes = 0;  // that the allocator holds of the device now
  int64_t peak_bytes = 0;
};

// Of the GPUs among the devices, each once.
std::vector<DeviceMemory> device_memory(const std::vector<c10::Device>& devices);

}  // namespace sdv2
