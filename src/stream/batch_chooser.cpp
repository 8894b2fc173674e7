// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/batch_chooser.h"

#include <algorithm>

#include "stream/cost_prior.h"

namespace sdv2 {
namespace {

// Rows that one forward may take; far above what one device can serve in time.
constexpr size_t kMaxRows = 64;
// The first runs of a kind of work load kernels, take memory and record graphs: they tell nothing of the
// later ones.
constexpr int kFirstRuns = 2;

const Segment& segment_of(const Chunk& chunk) { return chunk.route->segments[chunk.next_segment]; }

int passes_of(const Chunk& chunk) {
  const Segment& segment = segment_of(chunk);
  return segment.kind == Segment::Kind::kDenoise && needs_negative_pass(chunk.guidance, segment.step) ? 2 : 1;
}

CostKey key_of(const Chunk& chunk) { return cost_key(segment_of(chunk), row_shape(chunk, passes_of(chunk))); }

bool may_share(const Chunk& chunk, const Segment& segment) {
  return segment.kind == Segment::Kind::kDenoise && chunk.execution != Execution::kLatency;
}

}  // namespace

int64_t row_shape(const Chunk& chunk, int passes) {
  const StreamShape& shape = chunk.stream->shape();
  return pack({.frames = chunk.frames,
               .latent_height = shape.latent_height,
               .latent_width = shape.latent_width,
               .passes = passes});
}

CostKey cost_key(const Segment& segment, int64_t shape) {
  return {.device = segment.worker, .work = segment.batch_class, .shape = shape};
}

BatchChooser::BatchChooser(size_t workers, std::function<AffineCost(const CostKey&)> prior)
    : costs_(std::move(prior)), devices_(workers) {}

double BatchChooser::rest_s(const Route& route, int64_t shape, size_t from, int64_t now_ns,
                            int worker) const {
  double seconds = 0;
  for (size_t i = from; i < route.segments.size(); ++i) {
    const Segment& segment = route.segments[i];
    if (worker < 0 || segment.worker == worker)
      seconds += costs_.typical_s(cost_key(segment, shape), 1, now_ns);
  }
  return seconds;
}

bool BatchChooser::knows(const Route& route, int64_t shape) const {
  return std::all_of(route.segments.begin(), route.segments.end(),
                     [&](const Segment& segment) { return known_.contains(cost_key(segment, shape)); });
}

bool BatchChooser::is_hopeless(const Chunk& chunk, int64_t now_ns) const {
  if (chunk.deadline_ns == kNoDeadline) return false;
  const int64_t shape = row_shape(chunk);
  // A guess gives nothing up; only a deadline that has passed does then.
  const double alone_s = knows(*chunk.route, shape) ? rest_s(*chunk.route, shape, 0, now_ns) : 0;
  return chunk.deadline_ns < saturating_add(now_ns, seconds_to_ns(alone_s));
}

DeviceLoad BatchChooser::load(const Route& route, int64_t shape, const StreamRate& rate,
                              int64_t now_ns) const {
  DeviceLoad load(devices_.size(), 0);
  const int most = attainable_rows(rate.slack_s, rate.alike_per_s, static_cast<int>(kMaxRows));
  for (const Segment& segment : route.segments) {
    const int rows = segment.kind == Segment::Kind::kDenoise ? most : 1;
    load[static_cast<size_t>(segment.worker)] +=
        costs_.typical_s(cost_key(segment, shape), rows, now_ns) / rows * rate.chunks_per_s;
  }
  return load;
}

std::vector<size_t> BatchChooser::choose(size_t worker, int64_t now_ns, std::span<Chunk* const> ready) const {
  const Device& device = devices_[worker];
  // What is decided now begins when the device has done what it was given.
  if (!device.under_way.empty()) now_ns = std::max(now_ns, device.busy_until_ns);
  std::vector<TimedRow> rows;
  for (const Chunk* chunk : ready) {
    const Segment& segment = segment_of(*chunk);
    const size_t next = chunk->next_segment + 1;
    const int64_t shape = row_shape(*chunk);
    const auto& segments = chunk->route->segments;
    const bool feeds = next < segments.size() && segments[next].worker == segment.worker &&
                       may_share(*chunk, segments[next]);
    rows.push_back({.deadline_ns = chunk->deadline_ns,
                    .priority = chunk->priority,
                    .order = chunk->order,
                    .work = segment.batch_class,
                    .shape = shape,
                    .batchable = may_share(*chunk, segment),
                    .feeds = feeds ? segments[next].batch_class : -1,
                    .rest_s = rest_s(*chunk->route, shape, next, now_ns),
                    .rest_here_s = rest_s(*chunk->route, shape, next, now_ns, static_cast<int>(worker))});
  }
  const auto cost = [&](size_t i, size_t count) {
    // Who wants throughput takes every partner: as if rows beyond the first were free.
    const bool free = ready[i]->execution == Execution::kThroughput;
    return costs_.typical_s(key_of(*ready[i]), free ? 1 : static_cast<int>(count), now_ns);
  };
  return next_batch(now_ns, rows, cost, kMaxRows).rows;
}

bool BatchChooser::has_settled(const CostKey& key, int rows) { return runs_[{key, rows}]++ >= kFirstRuns; }

void BatchChooser::add(size_t worker, int64_t now_ns, std::span<Chunk* const> batch, const Mark& begin,
                       const Mark& end) {
  Device& device = devices_[worker];
  const CostKey key = key_of(*batch.front());
  const auto rows = static_cast<int>(batch.size());
  const bool whole = std::none_of(batch.begin(), batch.end(),
                                  [](const Chunk* chunk) { return chunk->skipped || chunk->abandoned; });
  device.busy_until_ns =
      saturating_add(device.under_way.empty() ? now_ns : std::max(now_ns, device.busy_until_ns),
                     seconds_to_ns(costs_.typical_s(key, rows, now_ns)));
  device.under_way.push_back({key, rows, begin, end, whole && has_settled(key, rows)});
}

void BatchChooser::learn(size_t worker, int64_t now_ns) {
  auto& under_way = devices_[worker].under_way;
  for (; !under_way.empty() && under_way.front().end.reached(); under_way.pop_front()) {
    const Batch& batch = under_way.front();
    if (!batch.counts) continue;
    costs_.add(batch.key, batch.rows, batch.end.milliseconds_since(batch.begin) * 1e-3, now_ns);
    known_.insert(batch.key);
  }
}

}  // namespace sdv2
