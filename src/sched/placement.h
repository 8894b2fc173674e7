// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the chain of units is cut over devices: exact search over measured costs.
#pragma once

#include <vector>

#include "base/result.h"

namespace sdv2 {

struct LinkCost {
  double fixed_s = 0;  // per message
  double seconds_per_byte = 0;
};

struct PlacementProblem {
  // unit_s[d][u]: seconds of unit u on device d; infinity where it cannot run. 1…8 devices.
  std::vector<std::vector<double>> unit_s;
  // handed_on[u]: bytes that go from unit u to unit u+1. Empty: none.
  std::vector<double> handed_on;
  // links[a][b]: from device a to device b. Empty: free.
  std::vector<std::vector<LinkCost>> links;
  // may_cut[u]: a stage may end behind unit u. Empty: anywhere. With cuts behind the heads only the search
  // gives steps to devices, with cuts around the autoencoder it sets that apart.
  std::vector<bool> may_cut;
  // How much slower than the best the slowest stage may be (share) when that saves latency.
  double tolerance = 0;
};

struct PlacementStage {
  int device = 0;
  int begin = 0, end = 0;  // units [begin, end)
  double seconds = 0;
  bool operator==(const PlacementStage&) const = default;
};

struct Placement {
  std::vector<PlacementStage> stages;  // in the order of the chain; a device has one at most
  double interval_s = 0;               // of the slowest stage or link: a chunk leaves every so often
  double latency_s = 0;                // of one chunk through all stages and links
};

// The contiguous cut, and the order of devices, with the smallest interval (links run beside the stages, so
// the interval is the slowest of all of them); among those within the tolerance the one with the least
// latency. Devices that do not help stay idle. Exact, by dynamic programming over sets of devices; of equal
// devices one order is looked at. O(2^D · D² · U²) for D different devices, under a second for 8. Errors:
// kInvalidArgument when sizes do not agree or a time is negative, or no placement is possible.
Result<Placement> place(const PlacementProblem& problem);

// The interval and latency of given stages, such as those that run now with what they cost now.
Placement evaluate(const PlacementProblem& problem, std::vector<PlacementStage> stages);

}  // namespace sdv2
