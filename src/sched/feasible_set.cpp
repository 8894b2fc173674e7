// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/feasible_set.h"

#include <algorithm>
#include <numeric>
#include <queue>

#include "sched/deadline.h"

namespace sdv2 {

std::vector<bool> feasible_set(int64_t now_ns, std::span<const Job> jobs) {
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return jobs[a].deadline_ns < jobs[b].deadline_ns; });
  // On top: the one to give up first.
  const auto matters_more = [&](size_t a, size_t b) {
    return jobs[a].priority != jobs[b].priority ? jobs[a].priority > jobs[b].priority
                                                : jobs[a].work_ns < jobs[b].work_ns;
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(matters_more)> kept(matters_more);
  std::vector<bool> keep(jobs.size(), false);
  int64_t end = now_ns;
  for (const size_t job : order) {
    kept.push(job);
    keep[job] = true;
    end = saturating_add(end, jobs[job].work_ns);
    while (end > jobs[job].deadline_ns) {
      const size_t worst = kept.top();
      kept.pop();
      keep[worst] = false;
      end -= jobs[worst].work_ns;
      if (kept.empty()) break;
    }
  }
  return keep;
}

}  // namespace sdv2
