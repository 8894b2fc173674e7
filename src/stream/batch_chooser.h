// SPDX-License-Identifier: LGPL-2.1-or-later
// Which chunks a worker runs next: brings chunks before the scheduler's policy (sched/batch_policy.h), with
// costs that are learned from what ran.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "runtime/device_stream.h"
#include "sched/batch_policy.h"
#include "sched/cost_model.h"
#include "sched/governor.h"
#include "stream/chunk.h"

namespace sdv2 {

// Of the transformer's rows that a chunk brings, with `passes` 1: rows of equal shape may share a forward,
// whether they are guided or not.
int64_t row_shape(const Chunk& chunk, int passes = 1);

// The key under which a segment of chunks of that shape is measured.
CostKey cost_key(const Segment& segment, int64_t shape);

// How often chunks of a stream come, for predicting what they take.
struct StreamRate {
  double chunks_per_s = 0;
  double alike_per_s = 0;  // of all streams whose rows could share a forward with its own, itself included
  double slack_s = 0;      // what a chunk's deadline leaves beside the chain: so long a row can wait
};

// Not thread-safe: the executor calls it under its lock. Times are nanoseconds of one monotonic clock.
class BatchChooser {
 public:
  // `prior`: see CostModel.
  BatchChooser(size_t workers, std::function<AffineCost(const CostKey&)> prior);

  // Of the chunks whose next segment can run on the worker now, those that run it, most urgent first; never
  // none of some.
  std::vector<size_t> choose(size_t worker, int64_t now_ns, std::span<Chunk* const> ready) const;

  // A batch of chunks was given to the worker's device. It ran, or will run, between the marks.
  void add(size_t worker, int64_t now_ns, std::span<Chunk* const> batch, const Mark& begin, const Mark& end);
  // Learns from the batches that the worker's device has finished since.
  void learn(size_t worker, int64_t now_ns);

  const CostModel& costs() const { return costs_; }
  // Predicted seconds of a route's segments from `from` on, each alone, for rows of that shape; with a worker
  // (>= 0) only of what it runs.
  double rest_s(const Route& route, int64_t shape, size_t from, int64_t now_ns, int worker = -1) const;
  // Whether all segments of a route were measured for rows of that shape.
  bool knows(const Route& route, int64_t shape) const;
  // Whether a chunk that has not begun would be late even if it began now and nothing disturbed it.
  bool is_hopeless(const Chunk& chunk, int64_t now_ns) const;
  // The share of every worker's time that a stream takes.
  DeviceLoad load(const Route& route, int64_t shape, const StreamRate& rate, int64_t now_ns) const;

 private:
  struct Batch {
    CostKey key;
    int rows = 1;
    Mark begin, end;
    bool counts = true;  // it ran whole, and not for the first time
  };
  struct Device {
    std::deque<Batch> under_way;
    int64_t busy_until_ns = 0;  // by prediction
  };

  bool has_settled(const CostKey& key, int rows);

  CostModel costs_;
  std::vector<Device> devices_;
  std::map<std::pair<CostKey, int>, int> runs_;  // of so many rows
  std::set<CostKey> known_;
};

}  // namespace sdv2
