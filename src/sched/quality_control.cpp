// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/quality_control.h"

#include <algorithm>

namespace sdv2 {
namespace {

constexpr int64_t kPeriod_ns = 100'000'000;
constexpr double kMemory = 0.9;  // of the counters, from one update to the next
constexpr int64_t kTrial_ns = 2'000'000'000;
constexpr int64_t kPatience_ns = 4'000'000'000, kLongestPatience_ns = 64'000'000'000;
// A load that nothing has room for.
constexpr double kTooMuch = 1e9;

}  // namespace

void QualityControl::open(uint64_t stream, int priority, int rungs) {
  streams_[stream] = {.priority = priority, .rungs = rungs};
}

void QualityControl::change(uint64_t stream, int priority, int rungs) {
  Stream& known = streams_.at(stream);
  known.priority = priority;
  known.rungs = rungs;
  known.rung = std::min(known.rung, rungs - 1);
}

void QualityControl::count(bool in_time) {
  ++due_;
  late_ += in_time ? 0 : 1;
}

// What the governor is told of a stream. In a trial it stays where it is, at no cost: only what was late
// counts.
GovernedStream QualityControl::governed(uint64_t id, const Stream& stream, const PredictLoad& load) const {
  GovernedStream told{.id = id, .priority = stream.priority, .rung = stream.rung};
  for (int rung = 0; rung < stream.rungs; ++rung) {
    told.load.push_back(load(id, rung));
    if (trial_ && trial_->stream == id)
      for (double& share : told.load.back()) share = rung < trial_->rung ? kTooMuch : 0;
  }
  return told;
}

void QualityControl::watch_idle(Stream& stream, const GovernedStream& now, int64_t now_ns) {
  const DeviceLoad& load = now.load[static_cast<size_t>(stream.rung)];
  const bool idle =
      stream.rung > 0 && std::all_of(load.begin(), load.end(), [](double share) { return share <= 0; });
  if (!idle)
    stream.idle_since_ns = kNoDeadline;
  else if (stream.idle_since_ns == kNoDeadline)
    stream.idle_since_ns = now_ns;
  if (stream.rung == 0) stream.patience_ns = 0;
}

std::vector<RungChange> QualityControl::begin_trial(int64_t now_ns) {
  for (auto& [id, stream] : streams_) {
    if (stream.idle_since_ns == kNoDeadline) continue;
    stream.patience_ns = std::max(stream.patience_ns, kPatience_ns);
    if (now_ns - stream.idle_since_ns < stream.patience_ns) continue;
    stream.patience_ns = std::min(2 * stream.patience_ns, kLongestPatience_ns);
    stream.idle_since_ns = kNoDeadline;
    trial_ = {.stream = id, .rung = --stream.rung, .end_ns = saturating_add(now_ns, kTrial_ns)};
    return {{id, stream.rung}};
  }
  return {};
}

std::vector<RungChange> QualityControl::update(int64_t now_ns, const PredictLoad& load) {
  if (now_ns < next_update_ns_) return {};
  next_update_ns_ = saturating_add(now_ns, kPeriod_ns);
  if (trial_ && (now_ns >= trial_->end_ns || !streams_.contains(trial_->stream) ||
                 streams_.at(trial_->stream).rung != trial_->rung))
    trial_.reset();
  std::vector<GovernedStream> streams;
  for (const auto& [id, stream] : streams_) streams.push_back(governed(id, stream, load));
  auto changes = governor_.update(now_ns, streams, due_ > 0 ? late_ / due_ : 0);
  for (const RungChange& change : changes) streams_.at(change.id).rung = change.rung;
  // What was late before a change says nothing about the time after it.
  due_ *= changes.empty() ? kMemory : 0;
  late_ *= changes.empty() ? kMemory : 0;
  if (trial_) return changes;
  for (const GovernedStream& stream : streams) watch_idle(streams_.at(stream.id), stream, now_ns);
  return changes.empty() ? begin_trial(now_ns) : changes;
}

}  // namespace sdv2
