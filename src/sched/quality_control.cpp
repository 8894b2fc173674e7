// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/quality_control.h"

#include <algorithm>

namespace sdv2 {
namespace {

constexpr int64_t kPeriod_ns = 100'000'000;
constexpr double kMemory = 0.9;  // of the counters, from one update to the next

}  // namespace

void QualityControl::open(uint64_t stream, int priority, int rungs) {
  streams_[stream] = {.priority = priority, .rungs = rungs};
}

void QualityControl::change(uint64_t stream, int priority, int rungs) {
  Stream& known = streams_.at(stream);
  known = {.priority = priority, .rungs = rungs, .rung = std::min(known.rung, rungs - 1)};
}

void QualityControl::count(bool in_time) {
  ++due_;
  late_ += in_time ? 0 : 1;
}

std::vector<RungChange> QualityControl::update(int64_t now_ns, const PredictLoad& load) {
  if (now_ns < next_update_ns_) return {};
  next_update_ns_ = saturating_add(now_ns, kPeriod_ns);
  std::vector<GovernedStream> governed;
  for (const auto& [id, stream] : streams_) {
    GovernedStream next{.id = id, .priority = stream.priority, .rung = stream.rung};
    for (int rung = 0; rung < stream.rungs; ++rung) next.load.push_back(load(id, rung));
    governed.push_back(std::move(next));
  }
  const auto changes = governor_.update(now_ns, governed, due_ > 0 ? late_ / due_ : 0);
  for (const RungChange& change : changes) streams_.at(change.id).rung = change.rung;
  // What was late before a change says nothing about the time after it.
  due_ *= changes.empty() ? kMemory : 0;
  late_ *= changes.empty() ? kMemory : 0;
  return changes;
}

}  // namespace sdv2
