// SPDX-License-Identifier: LGPL-2.1-or-later
// In which order a session wants its work done. The pixels are the same.
#pragma once

#include <cstdint>

namespace sdv2 {

enum class Execution : uint8_t {
  kLatency,     // depth-first: the most urgent chunk runs on, alone, whatever it needs next
  kThroughput,  // wavefront (stream batch): what can share a forward does, whatever it costs in latency
  kAuto,        // what the costs that were measured and the deadlines say
};

}  // namespace sdv2
