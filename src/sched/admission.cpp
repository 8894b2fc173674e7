// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/admission.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sdv2 {
namespace {

// Nobody wants a stream at less of its rate than this.
constexpr double kUsefulRate = 0.25;

std::string number(const char* pattern, double value) {
  char text[32];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string percent(double share) { return number("%.0f", 100 * share) + " %"; }

std::string mebibytes(int64_t bytes) {
  return number("%.0f", static_cast<double>(bytes) / (1 << 20)) + " MiB";
}

int64_t memory_on(const StreamDemand& demand, size_t device) {
  return device < demand.memory.size() ? demand.memory[device] : 0;
}

double free_share(const DeviceRoom& device) { return std::max(0.0, kAdmissibleLoad - device.load); }

// The rounding of sums must not refuse a stream that fits exactly.
bool has_time(const DeviceRoom& device, double load) { return load <= free_share(device) + 1e-9; }

bool is_fast_enough(const AdmissionRequest& request, const StreamDemand& demand) {
  return request.target_latency_s <= 0 || demand.latency_s <= request.target_latency_s;
}

bool fits(std::span<const DeviceRoom> devices, const AdmissionRequest& request, const StreamDemand& demand) {
  if (!is_fast_enough(request, demand)) return false;
  for (size_t i = 0; i < devices.size(); ++i)
    if (!has_time(devices[i], demand.load[i]) || memory_on(demand, i) > devices[i].free_bytes) return false;
  return true;
}

std::string what_would_fit(std::span<const DeviceRoom> devices, const AdmissionRequest& request) {
  std::vector<std::string> choices;
  const auto fitting = std::find_if(request.alternatives.begin(), request.alternatives.end(),
                                    [&](const auto& each) { return fits(devices, request, each.demand); });
  if (fitting != request.alternatives.end()) choices.push_back(fitting->words);
  // A lower rate changes the share of time, neither latency nor memory.
  double slower = 1;
  bool rate_helps = request.fps > 0 && is_fast_enough(request, request.demand);
  for (size_t i = 0; i < devices.size(); ++i) {
    if (request.demand.load[i] > 0)
      slower = std::min(slower, free_share(devices[i]) / request.demand.load[i]);
    rate_helps = rate_helps && memory_on(request.demand, i) <= devices[i].free_bytes;
  }
  const double fps = std::floor(request.fps * slower + 1e-6);  // what fits exactly is not rounded away
  if (rate_helps && fps >= request.fps * kUsefulRate)
    choices.push_back("up to " + number("%.0f", fps) + " frames per second");
  if (choices.empty()) return "nothing smaller that is known would fit either; close a stream first";
  std::string text = "this would fit: " + choices.front();
  for (size_t i = 1; i < choices.size(); ++i) text += ", or " + choices[i];
  return text;
}

}  // namespace

Result<void> admit(std::span<const DeviceRoom> devices, const AdmissionRequest& request) {
  const auto matches = [&](const StreamDemand& demand) {
    return demand.load.size() == devices.size() &&
           (demand.memory.empty() || demand.memory.size() == devices.size());
  };
  if (!matches(request.demand) || !std::all_of(request.alternatives.begin(), request.alternatives.end(),
                                               [&](const auto& each) { return matches(each.demand); }))
    return Error{ErrorCode::kInvalidArgument, "admission: demand and devices differ in number"};

  const StreamDemand& demand = request.demand;
  if (!is_fast_enough(request, demand))
    return Error{ErrorCode::kUnsupported,
                 "a chunk takes " + number("%.0f", demand.latency_s * 1e3) +
                     " ms from its first frame to its pixels even alone, the target is " +
                     number("%.0f", request.target_latency_s * 1e3) + " ms; " +
                     what_would_fit(devices, request)};
  for (size_t i = 0; i < devices.size(); ++i)
    if (memory_on(demand, i) > devices[i].free_bytes)
      return Error{ErrorCode::kOutOfMemory, "the stream needs " + mebibytes(memory_on(demand, i)) + " on " +
                                                devices[i].name + ", " + mebibytes(devices[i].free_bytes) +
                                                " are free; " + what_would_fit(devices, request)};
  for (size_t i = 0; i < devices.size(); ++i)
    if (!has_time(devices[i], demand.load[i]))
      return Error{ErrorCode::kBusy, "the stream needs " + percent(demand.load[i]) + " of " +
                                         devices[i].name + ", " + percent(free_share(devices[i])) +
                                         " are free; " + what_would_fit(devices, request)};
  return {};
}

}  // namespace sdv2
