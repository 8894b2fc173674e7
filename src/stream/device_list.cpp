// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/device_list.h"

#include <ATen/Context.h>

#include <charconv>
#include <sstream>
#include <thread>

namespace sdv2 {
namespace {

constexpr size_t kMaxWorkers = 64;

Result<c10::Device> parse_device(const std::string& name) {
  if (name == "cpu") return c10::Device(c10::kCPU);
  int index = 0;
  bool understood = name == "cuda";
  if (name.starts_with("cuda:")) {
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + 5, end, index);
    understood = error == std::errc() && stop == end && index >= 0;
  }
  if (!understood)
    return Error{ErrorCode::kInvalidArgument,
                 "'" + name + "' is not a device; write cpu or cuda:N, with commas between several"};
  const auto count = static_cast<int>(at::getNumGPUs());
  if (index >= count)
    return Error{
        ErrorCode::kNotFound,
        name + " is not there: this machine has " +
            (count == 0 ? std::string("no GPU that can be used; use devices=cpu")
                        : std::to_string(count) + " GPU(s), cuda:0 … cuda:" + std::to_string(count - 1))};
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace

Result<std::vector<c10::Device>> parse_devices(const std::string& text) {
  if (text == "auto") {
    if (at::getNumGPUs() > 0) return std::vector{c10::Device(c10::kCUDA, 0)};
    // Two stages that work side by side use two cores better than operations that are cut in two.
    return std::vector<c10::Device>(std::thread::hardware_concurrency() > 1 ? 2 : 1, c10::kCPU);
  }
  std::vector<c10::Device> devices;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    SDV2_TRY(const c10::Device device, parse_device(name));
    devices.push_back(device);
  }
  if (devices.empty() || devices.size() > kMaxWorkers)
    return Error{ErrorCode::kInvalidArgument, "devices '" + text + "' must name 1 … " +
                                                  std::to_string(kMaxWorkers) +
                                                  " devices, like cuda:0 or cpu,cpu"};
  return devices;
}

}  // namespace sdv2
