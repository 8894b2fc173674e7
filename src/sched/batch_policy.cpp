// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/batch_policy.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "sched/feasible_set.h"

namespace sdv2 {
namespace {

// A larger batch must give this much more rows per second: below it the gain is within the error of the
// costs.
constexpr double kWorthwhile = 1.02;

class Decision {
 public:
  Decision(int64_t now_ns, std::span<const TimedRow> ready, const RowCost& cost, size_t max_rows)
      : now_ns_(now_ns), ready_(ready), cost_(cost), max_rows_(max_rows) {
    estimate_work();
    keep_what_is_feasible();
    sort_by_urgency();
  }

  BatchDecision make() {
    const size_t lead = order_.front();
    BatchDecision decision{{lead}, std::find(keep_.begin(), keep_.end(), false) == keep_.end()};
    if (!ready_[lead].batchable) return decision;
    decision.rows = best_batch(lead);
    if (const auto first = row_to_wait_for(decision.rows)) decision.rows = {*first};
    return decision;
  }

 private:
  bool same_forward(size_t a, size_t b) const {
    return ready_[b].batchable && ready_[a].work == ready_[b].work && ready_[a].shape == ready_[b].shape;
  }

  // The device's work for each row, when rows of a kind share forwards: the first pays for the forward, the
  // others for what they add to it.
  void estimate_work() {
    std::map<std::pair<int, int64_t>, bool> seen;
    for (size_t i = 0; i < ready_.size(); ++i) {
      const TimedRow& row = ready_[i];
      double seconds = cost_(i, 1);
      if (row.batchable && max_rows_ > 1 && !seen.emplace(std::pair(row.work, row.shape), true).second)
        seconds = std::max(0.0, cost_(i, 2) - seconds);
      work_ns_.push_back(seconds_to_ns(seconds + row.rest_here_s));
    }
  }

  // When this device must have done its part of a chunk.
  int64_t due_here(const TimedRow& row) const {
    if (row.deadline_ns == kNoDeadline) return kNoDeadline;
    return saturating_add(row.deadline_ns, -seconds_to_ns(row.rest_s - row.rest_here_s));
  }

  void keep_what_is_feasible() {
    std::vector<Job> jobs;
    for (size_t i = 0; i < ready_.size(); ++i)
      jobs.push_back({due_here(ready_[i]), work_ns_[i], ready_[i].priority});
    keep_ = feasible_set(now_ns_, jobs);
  }

  void sort_by_urgency() {
    order_.resize(ready_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    const auto key = [&](size_t i) {
      const TimedRow& row = ready_[i];
      // Who has no deadline is never late, yet nobody waits for it: it takes what is left.
      const int rank = row.deadline_ns == kNoDeadline ? 2 : keep_[i] ? 0 : 1;
      return std::tuple(rank, keep_[i] ? 0 : -row.priority, row.deadline_ns, row.order);
    };
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
    for (const size_t i : order_)
      if (keep_[i]) kept_in_order_.push_back(i);
  }

  // How many of the rows that can be in time would be late if `batch` ran until `end_ns` and the others after
  // it by deadline.
  size_t broken(const std::vector<size_t>& batch, int64_t end_ns) const {
    size_t late = 0;
    for (const size_t i : kept_in_order_) {
      const bool inside = std::find(batch.begin(), batch.end(), i) != batch.end();
      end_ns = saturating_add(end_ns, inside ? seconds_to_ns(ready_[i].rest_here_s) : work_ns_[i]);
      if (end_ns > due_here(ready_[i])) ++late;
    }
    return late;
  }

  int64_t end_of(const std::vector<size_t>& batch) const {
    return saturating_add(now_ns_, seconds_to_ns(cost_(batch.front(), batch.size())));
  }

  // Rows per second of a batch.
  double rate(size_t lead, size_t rows) const {
    return static_cast<double>(rows) / std::max(cost_(lead, rows), 1e-12);
  }

  std::vector<size_t> best_batch(size_t lead) const {
    std::vector<size_t> batch{lead}, best = batch;
    const size_t breaks_alone = broken(batch, end_of(batch));
    double best_rate = rate(lead, 1);
    for (const size_t i : order_) {
      if (batch.size() >= max_rows_) break;
      if (i == lead || !same_forward(lead, i)) continue;
      batch.push_back(i);
      const double larger = rate(lead, batch.size());
      if (larger <= best_rate * kWorthwhile || broken(batch, end_of(batch)) > breaks_alone) continue;
      best = batch;
      best_rate = larger;
    }
    return best;
  }

  // An unbatchable row that should run before the batch, because it can join then.
  std::optional<size_t> row_to_wait_for(const std::vector<size_t>& batch) const {
    const size_t lead = batch.front();
    std::vector<size_t> joining;
    for (const size_t i : kept_in_order_)
      if (!ready_[i].batchable && ready_[i].feeds == ready_[lead].work &&
          ready_[i].shape == ready_[lead].shape)
        joining.push_back(i);
    const size_t possible = std::min(max_rows_, batch.size() + joining.size());
    if (possible == batch.size() || rate(lead, possible) <= rate(lead, batch.size()) * kWorthwhile)
      return std::nullopt;
    std::vector<size_t> joined = batch;
    joined.push_back(joining.front());
    const double seconds = cost_(joining.front(), 1) + cost_(lead, joined.size());
    // Its rest counts the step that it then shares; that errs on the careful side.
    if (broken(joined, saturating_add(now_ns_, seconds_to_ns(seconds))) > broken(batch, end_of(batch)))
      return std::nullopt;
    return joining.front();
  }

  int64_t now_ns_;
  std::span<const TimedRow> ready_;
  const RowCost& cost_;
  size_t max_rows_;
  std::vector<int64_t> work_ns_;
  std::vector<bool> keep_;
  std::vector<size_t> order_;
  std::vector<size_t> kept_in_order_;
};

}  // namespace

BatchDecision next_batch(int64_t now_ns, std::span<const TimedRow> ready, const RowCost& cost,
                         size_t max_rows) {
  if (ready.empty()) return {};
  return Decision(now_ns, ready, cost, max_rows).make();
}

int attainable_rows(double slack_s, double rows_per_second, int max_rows) {
  const double rows = 0.5 * std::max(0.0, slack_s) * std::max(0.0, rows_per_second);
  return static_cast<int>(std::clamp(rows, 1.0, static_cast<double>(max_rows)));
}

}  // namespace sdv2
