// SPDX-License-Identifier: LGPL-2.1-or-later
// While a stream of a GPU records a graph, nobody may wait for the whole GPU (CUDA Programming Guide, CUDA
// Graphs, "Prohibited and Unhandled Operations"): the recording and the wait would both fail.
#pragma once

#include <mutex>

namespace sdv2 {

// Held by who records, and by synchronize() (device_stream.h). One for all devices: both are rare and short.
std::mutex& graph_recording();

}  // namespace sdv2
