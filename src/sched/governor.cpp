// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/governor.h"

#include <algorithm>
#include <tuple>

namespace sdv2 {
namespace {

constexpr double kRegret_s = 3;  // quality given back and given up again within that was a mistake
constexpr double kLongestHold_s = 8;
constexpr double kPeace_s = 10;
constexpr double kOtherLoad = 0.8;  // of what was mistaken, and the mistake says nothing any more

void add(DeviceLoad& total, const DeviceLoad& load, double factor) {
  if (total.size() < load.size()) total.resize(load.size(), 0);
  for (size_t i = 0; i < load.size(); ++i) total[i] += factor * load[i];
}

double busiest(const DeviceLoad& load) {
  return load.empty() ? 0 : *std::max_element(load.begin(), load.end());
}

bool has_passed(int64_t since_ns, int64_t now_ns, double seconds) {
  return since_ns == kNoDeadline || now_ns - since_ns >= seconds_to_ns(seconds);
}

int lowest_rung(const GovernedStream& stream) { return static_cast<int>(stream.load.size()) - 1; }

const DeviceLoad& load_at(const GovernedStream& stream, int rung) {
  return stream.load[static_cast<size_t>(rung)];
}

void move_to(GovernedStream& stream, int rung, DeviceLoad& total) {
  add(total, load_at(stream, stream.rung), -1);
  add(total, load_at(stream, rung), 1);
  stream.rung = rung;
}

}  // namespace

std::vector<RungChange> Governor::update(int64_t now_ns, std::span<const GovernedStream> given,
                                         double late_share) {
  std::vector<GovernedStream> streams(given.begin(), given.end());
  DeviceLoad total, full;
  for (GovernedStream& stream : streams) {
    stream.rung = std::clamp(stream.rung, 0, lowest_rung(stream));
    add(total, load_at(stream, stream.rung), 1);
    add(full, load_at(stream, 0), 1);
  }
  if (busiest(full) < kOtherLoad * mistaken_load_) hold_s_ = settings_.hold_s;
  const bool late = late_share > settings_.late_share;
  if (busiest(total) > settings_.give_up_above || late) {
    if (!has_passed(last_back_ns_, now_ns, kRegret_s) && last_back_ns_ != kNoDeadline) {
      hold_s_ = std::min(hold_s_ * 2, kLongestHold_s);
      mistaken_load_ = busiest(full);
      last_back_ns_ = kNoDeadline;  // one mistake counts once
    }
    give_up(streams, total, late);
    calm_since_ns_ = kNoDeadline;
    last_given_up_ns_ = now_ns;
  } else {
    if (calm_since_ns_ == kNoDeadline) calm_since_ns_ = now_ns;
    if (has_passed(last_given_up_ns_, now_ns, kPeace_s)) hold_s_ = settings_.hold_s;
    if (has_passed(calm_since_ns_, now_ns, hold_s_) && has_passed(last_back_ns_, now_ns, settings_.pause_s)) {
      give_back(streams, total);
    }
  }
  std::vector<RungChange> changes;
  bool back = false;
  for (size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].rung == given[i].rung) continue;
    changes.push_back({streams[i].id, streams[i].rung});
    back |= streams[i].rung < given[i].rung;
  }
  if (back) last_back_ns_ = now_ns;
  return changes;
}

// One rung at a time from the stream that matters least and has given up least; a late chunk costs at least
// one rung, since then the prediction is wrong.
void Governor::give_up(std::vector<GovernedStream>& streams, DeviceLoad& total, bool late) const {
  while (late || busiest(total) > settings_.aim) {
    late = false;
    GovernedStream* next = nullptr;
    const auto key = [](const GovernedStream& stream) {
      return std::tuple(stream.priority, stream.rung, stream.id);
    };
    for (GovernedStream& stream : streams)
      if (stream.rung < lowest_rung(stream) && (!next || key(stream) < key(*next))) next = &stream;
    if (!next) return;
    move_to(*next, next->rung + 1, total);
  }
}

void Governor::give_back(std::vector<GovernedStream>& streams, DeviceLoad& total) const {
  std::vector<GovernedStream*> order;
  for (GovernedStream& stream : streams)
    if (stream.rung > 0) order.push_back(&stream);
  std::sort(order.begin(), order.end(), [](const GovernedStream* a, const GovernedStream* b) {
    return std::tuple(-a->priority, -a->rung, a->id) < std::tuple(-b->priority, -b->rung, b->id);
  });
  for (GovernedStream* stream : order) {
    const int rung = stream->rung;
    move_to(*stream, rung - 1, total);
    if (busiest(total) > settings_.aim) move_to(*stream, rung, total);
  }
}

}  // namespace sdv2
