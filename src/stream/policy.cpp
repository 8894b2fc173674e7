// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/policy.h"

#include <algorithm>
#include <tuple>

namespace sdv2 {
namespace {

// Wavefront pays when another chunk of the row's own session is waiting, or when another session's rows can
// join.
bool wants_wavefront(const ReadyRow& row, std::span<const ReadyRow> ready) {
  switch (row.execution) {
    case Execution::kLatency:
      return false;
    case Execution::kThroughput:
      return true;
    case Execution::kAuto:
      return std::any_of(ready.begin(), ready.end(),
                         [&](const ReadyRow& other) { return other.order != row.order; });
  }
  return false;
}

// What runs first. Depth-first: the most urgent chunk, whatever it needs. Wavefront: encoders first, so that
// a new row can join the rows that are there, then denoising, then decoders; among equals the most urgent,
// then the oldest.
size_t lead_row(std::span<const ReadyRow> ready) {
  const auto rank = [&](const ReadyRow& row) {
    return wants_wavefront(row, ready) ? static_cast<int>(row.kind) : -1;
  };
  const auto before = [&](const ReadyRow& a, const ReadyRow& b) {
    const int rank_a = rank(a), rank_b = rank(b);
    return std::tuple(rank_a, a.deadline_ns, a.order) < std::tuple(rank_b, b.deadline_ns, b.order);
  };
  return static_cast<size_t>(std::min_element(ready.begin(), ready.end(), before) - ready.begin());
}

}  // namespace

std::vector<size_t> next_batch(std::span<const ReadyRow> ready, size_t max_rows) {
  if (ready.empty()) return {};
  const size_t lead = lead_row(ready);
  const ReadyRow& first = ready[lead];
  std::vector<size_t> batch{lead};
  if (first.kind != Segment::Kind::kDenoise || !wants_wavefront(first, ready)) return batch;

  std::vector<size_t> partners;
  for (size_t i = 0; i < ready.size(); ++i)
    if (i != lead && ready[i].batch_class == first.batch_class && ready[i].shape == first.shape &&
        ready[i].kind == first.kind && ready[i].execution != Execution::kLatency)
      partners.push_back(i);
  std::sort(partners.begin(), partners.end(),
            [&](size_t a, size_t b) { return ready[a].order < ready[b].order; });
  for (const size_t i : partners)
    if (batch.size() < max_rows) batch.push_back(i);
  return batch;
}

}  // namespace sdv2
