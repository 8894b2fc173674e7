// SPDX-License-Identifier: LGPL-2.1-or-later
// GPUs that serve streams one after the other: where the chain is cut over them and what its pieces take.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "sched/degradation.h"
#include "stream/plan.h"
#include "tools/sim/costs.h"

namespace sdv2::sim {

struct RouteSegment {
  int gpu = 0;                  // in the pipeline
  int work = 0;                 // identity of the units, over all routes of the pipeline
  int step = -1;                // of a denoising segment, which may be batched; -1 of others
  double link_s = 0;            // from the segment before
  std::vector<double> seconds;  // by rows; [0] is not used
  bool batchable() const { return step >= 0; }
};

// The way of a chunk of a certain quality.
struct Route {
  int64_t shape = 0;  // identity of the size
  std::vector<RouteSegment> segments;
  std::string placement;
};

class Pipeline {
 public:
  // `speeds`: of its GPUs. `costs` outlives this.
  Pipeline(const CostBook& costs, std::vector<double> speeds, int max_rows);

  // By steps and size; placed by exact search. The reference stays valid.
  Result<const Route*> route(const Quality& quality);

  size_t gpus() const { return speeds_.size(); }
  double speed() const;  // of all together

 private:
  Result<Plan> cut(const Quality& quality, const ChainShape& shape) const;

  const CostBook& costs_;
  std::vector<double> speeds_;
  int max_rows_;
  std::map<std::tuple<int, int, int>, Route> routes_;
  std::map<std::tuple<int, int, int, int>, int> works_;
};

}  // namespace sdv2::sim
