// SPDX-License-Identifier: LGPL-2.1-or-later
// Moves streams down and up their degradation ladders, so that what all of them ask for fits the devices.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "sched/deadline.h"

namespace sdv2 {

// Share of each device's time (1: all of it) that something takes; one entry per device, in one order.
using DeviceLoad = std::vector<double>;

struct GovernedStream {
  uint64_t id = 0;
  int priority = 0;  // lower ones give up quality first and get it back last
  int rung = 0;      // where it stands; 0 is full quality
  // What it would take on each rung of its ladder, by the cost model as it is now; at least one.
  std::vector<DeviceLoad> load;
};

struct RungChange {
  uint64_t id = 0;
  int rung = 0;  // from its next chunk on
  bool operator==(const RungChange&) const = default;
};

struct GovernorSettings {
  double give_up_above = 1.0;  // predicted load of the busiest device at which quality is given up
  double aim = 0.94;           // load to get below then, and to stay below when giving quality back
  double late_share = 0.02;    // of the chunks since the last update: more than that also gives up a rung
  double hold_s = 1.0;         // of calm before quality comes back
  double pause_s = 0.25;       // between one round of giving back and the next
};

// Call update() some times a second. Giving up is immediate and goes as far as the prediction asks; giving
// back waits for a hold and goes one rung per stream and round, the streams that matter most first, each only
// if the prediction stays below the aim. A round that had to be taken back within 3 s doubles the hold, up to
// 8 s; 10 s of peace make it short again, and so does a prediction for full quality that is a fifth below
// what it was then. With a hold of 1 s and a ladder of 8 rungs full quality is back within 3 s. Not
// thread-safe.
class Governor {
 public:
  explicit Governor(const GovernorSettings& settings = {}) : settings_(settings), hold_s_(settings.hold_s) {}

  // `late_share`: of the chunks that were due since the last update, how many were late or dropped, 0…1.
  // Returns the streams whose rung changes, by id at most once each.
  std::vector<RungChange> update(int64_t now_ns, std::span<const GovernedStream> streams, double late_share);

 private:
  void give_up(std::vector<GovernedStream>& streams, DeviceLoad& total, bool late) const;
  void give_back(std::vector<GovernedStream>& streams, DeviceLoad& total) const;

  GovernorSettings settings_;
  double hold_s_;
  double mistaken_load_ = 0;             // of full quality, when the hold was doubled
  int64_t calm_since_ns_ = kNoDeadline;  // none: not calm
  int64_t last_back_ns_ = kNoDeadline;   // last round of giving back
  int64_t last_given_up_ns_ = kNoDeadline;
};

}  // namespace sdv2
