// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/trace.h"

#include <atomic>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#if SDV2_HAVE_CUDA
#include <nvtx3/nvToolsExt.h>
#endif

namespace sdv2 {
namespace {

using Clock = std::chrono::steady_clock;

// About two hours of a busy machine; a record that is forgotten must not eat the memory.
constexpr size_t kMaxEvents = 2'000'000;

// The process' record: the C ABI's trace calls belong to no model or session.
struct Record {
  std::atomic<bool> active = false;
  std::mutex mutex;
  Clock::time_point begin;
  std::vector<nlohmann::json> events;

  void add(nlohmann::json event) {
    const std::lock_guard lock(mutex);
    if (active && events.size() < kMaxEvents) events.push_back(std::move(event));
  }
  double microseconds(Clock::time_point time) const {
    return std::chrono::duration<double, std::micro>(time - begin).count();
  }
};

Record& record() {
  static Record record;
  return record;
}

}  // namespace

Result<void> start_trace() {
  const std::lock_guard lock(record().mutex);
  if (record().active)
    return Error{ErrorCode::kInvalidArgument, "a trace is being recorded already; stop it first"};
  record().begin = Clock::now();
  record().events.clear();
  record().active = true;
  return {};
}

Result<void> stop_trace(const std::string& path) {
  std::vector<nlohmann::json> events;
  {
    const std::lock_guard lock(record().mutex);
    if (!record().active)
      return Error{ErrorCode::kInvalidArgument, "no trace is being recorded; start one first"};
    record().active = false;
    events.swap(record().events);
  }
  std::ofstream file(path);
  file << nlohmann::json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
  file.close();
  if (!file) return Error{ErrorCode::kNotFound, path + ": the trace cannot be written there"};
  return {};
}

void trace_counter(const char* name, double value) {
  if (!record().active) return;
  record().add({{"name", name},
                {"ph", "C"},
                {"pid", 1},
                {"ts", record().microseconds(Clock::now())},
                {"args", {{"value", value}}}});
}

TraceSpan::TraceSpan(std::string stage, size_t worker, size_t chunks)
    : stage_(std::move(stage)),
      worker_(worker),
      chunks_(chunks),
      recorded_(record().active),
      begin_(Clock::now()) {
#if SDV2_HAVE_CUDA
  nvtxRangePushA(stage_.c_str());
#endif
}

TraceSpan::~TraceSpan() {
#if SDV2_HAVE_CUDA
  nvtxRangePop();
#endif
  if (!recorded_) return;
  record().add({{"name", stage_},
                {"ph", "X"},
                {"pid", 1},
                {"tid", worker_},
                {"ts", record().microseconds(begin_)},
                {"dur", std::chrono::duration<double, std::micro>(Clock::now() - begin_).count()},
                {"args", {{"chunks", chunks_}}}});
}

}  // namespace sdv2
