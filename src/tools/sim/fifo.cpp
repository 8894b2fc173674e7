// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/fifo.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace sdv2::sim {
namespace {

constexpr int64_t kThreshold_ns = 500'000'000;  // online_slo_wait_threshold of the reference

std::vector<size_t> by_age(std::span<const FifoRow> ready) {
  std::vector<size_t> order(ready.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t i) { return std::tuple(ready[i].arrival_ns, ready[i].stream); };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  return order;
}

bool same_forward(const FifoRow& a, const FifoRow& b) {
  return a.step >= 0 && b.step >= 0 && a.work == b.work && a.shape == b.shape;
}

}  // namespace

FifoChoice no_batching(std::span<const FifoRow> ready) {
  if (ready.empty()) return {};
  return {.rows = {by_age(ready).front()}};
}

FifoChoice static_batching(int64_t now_ns, std::span<const FifoRow> ready, size_t rows) {
  FifoChoice wait;
  std::vector<size_t> overdue;
  const auto order = by_age(ready);
  for (const size_t lead : order) {
    if (ready[lead].step < 0) return {.rows = {lead}};
    std::vector<size_t> batch;
    for (const size_t i : order)
      if (batch.size() < rows && same_forward(ready[lead], ready[i])) batch.push_back(i);
    if (batch.size() >= rows) return {.rows = std::move(batch)};
    const int64_t latest = ready[lead].arrival_ns + 2 * ready[lead].period_ns;
    wait.look_again_ns = std::min(wait.look_again_ns, latest);
    if (now_ns >= latest && overdue.empty()) overdue = std::move(batch);
  }
  // Encoders would have gone before: they bring more rows.
  if (!overdue.empty()) return {.rows = std::move(overdue)};
  return wait;
}

FifoChoice wait_threshold(int64_t now_ns, std::span<const FifoRow> ready) {
  FifoChoice wait;
  const auto order = by_age(ready);
  for (const size_t lead : order) {
    const int64_t old = ready[lead].capture_ns + kThreshold_ns;
    if (ready[lead].step < 0 || now_ns >= old) return {.rows = {lead}};
    std::vector<size_t> batch;
    bool ticks = false;
    for (const size_t i : order)
      if (ready[i].stream == ready[lead].stream && same_forward(ready[lead], ready[i])) {
        batch.push_back(i);
        ticks |= ready[i].step == 0;
      }
    if (ticks) return {.rows = std::move(batch)};
    wait.look_again_ns = std::min(wait.look_again_ns, old);
  }
  return wait;
}

}  // namespace sdv2::sim
