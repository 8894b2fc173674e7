// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of the waiting jobs one device can still finish in time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sdv2 {

struct Job {
  int64_t deadline_ns = 0;
  int64_t work_ns = 0;  // >= 0, on this device
  int priority = 0;     // higher matters more
};

// For each job whether it can be kept: the kept ones, run one after the other from `now_ns` by earliest
// deadline, are all in time. Of the highest priority as many as possible are kept; of the others as many as
// the walk leaves, which is the most when all priorities are equal (Moore and Hodgson 1968: walk by deadline,
// and when one is late give up the longest, here of the lowest priority). O(n log n).
std::vector<bool> feasible_set(int64_t now_ns, std::span<const Job> jobs);

}  // namespace sdv2
