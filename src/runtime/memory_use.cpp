// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/memory_use.h"

#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace sdv2 {

int64_t peak_host_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

std::vector<DeviceMemory> device_memory(const std::vector<c10::Device>& devices) {
  std::vector<DeviceMemory> uses;
  for (const c10::Device device : devices) {
    if (device.is_cpu()) continue;
    if (std::any_of(uses.begin(), uses.end(), [&](const DeviceMemory& use) { return use.device == device; }))
      continue;
    const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
    const auto& reserved =
        stats.reserved_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
    uses.push_back({device, reserved.current, reserved.peak});
  }
  return uses;
}

}  // namespace sdv2
