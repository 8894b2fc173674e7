// SPDX-License-Identifier: LGPL-2.1-or-later
// A record of what the workers did, as a Chrome trace (chrome://tracing, Perfetto), and NVTX ranges for
// Nsight. One record for the whole process, like the profilers that read it. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/result.h"

namespace sdv2 {

// Begins to record. Errors: kInvalidArgument when a record is under way.
Result<void> start_trace();

// Ends the record and writes it. Errors: kInvalidArgument when none was begun, kNotFound when the file cannot
// be written.
Result<void> stop_trace(const std::string& path);

// A value over time, such as the length of a queue. Free of cost when nothing is recorded.
void trace_counter(const char* name, double value);

// From construction to destruction: one batch of a stage on a worker, as the host sees it (on a GPU: the
// enqueueing). Free of cost when nothing is recorded, but for the NVTX range.
class TraceSpan {
 public:
  TraceSpan(std::string stage, size_t worker, size_t chunks);
  ~TraceSpan();
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

 private:
  std::string stage_;
  size_t worker_;
  size_t chunks_;
  bool recorded_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace sdv2
