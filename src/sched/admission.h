// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether one more stream can be served beside those that run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sched/governor.h"

namespace sdv2 {

// What a stream takes, by the cost model.
struct StreamDemand {
  DeviceLoad load;              // share of each device's time
  double latency_s = 0;         // of a chunk that nothing disturbs: collecting its frames and the chain
  std::vector<int64_t> memory;  // bytes on each device: KV cache and convolution history; may be empty
};

struct AdmissionRequest {
  StreamDemand demand;
  double fps = 0;               // frames per second that the demand is for; 0: not told
  double target_latency_s = 0;  // 0: any
  // Cheaper ways to run it, dearest first, each with words for a person ("1 step", "384x384").
  struct Alternative {
    std::string words;
    StreamDemand demand;
  };
  std::vector<Alternative> alternatives;
};

struct DeviceRoom {
  std::string name;  // "cuda:0"
  double load = 0;   // what runs there takes, at full quality
  int64_t free_bytes = 0;
};

// The share of a device that streams may take: what is left absorbs jitter and arrivals that meet.
inline constexpr double kAdmissibleLoad = 0.9;

// Success when the stream fits, else kBusy (time), kOutOfMemory (bytes) or kUnsupported (its target latency
// is shorter than the chain), with a message that names the device, what is asked and free there, and what
// would fit. `devices` and the demands have one order. kInvalidArgument when their sizes differ.
Result<void> admit(std::span<const DeviceRoom> devices, const AdmissionRequest& request);

}  // namespace sdv2
