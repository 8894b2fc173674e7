// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/stage_times.h"

#include <algorithm>

#include "base/percentile.h"

namespace sdv2 {

void StageTimes::add(int order, const std::string& stage, size_t worker, const Mark& begin, const Mark& end) {
  auto& spans = stages_[{order, stage, worker}];
  spans.emplace_back(begin, end);
  if (spans.size() > kKept) spans.pop_front();
}

std::vector<StageTimes::Summary> StageTimes::summaries(std::chrono::steady_clock::time_point since) const {
  std::vector<Summary> summaries;
  for (const auto& [stage, spans] : stages_) {
    std::vector<double> values;
    for (const auto& [begin, end] : spans)
      if (begin.enqueued() >= since && end.reached()) values.push_back(end.milliseconds_since(begin));
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    summaries.push_back({std::get<1>(stage), std::get<2>(stage), values.size(), percentile(values, 0.5),
                         percentile(values, 0.95), percentile(values, 0.99)});
  }
  return summaries;
}

}  // namespace sdv2
