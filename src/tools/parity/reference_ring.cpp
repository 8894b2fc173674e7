// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/reference_ring.h"

#include <algorithm>
#include <stdexcept>

namespace sdv2::parity {

ReferenceRing::ReferenceRing(const ReferenceRingConfig& config)
    : config_(config), steps_left_(config.steps) {}

bool ReferenceRing::compares_sinks(int64_t frames) const {
  return config_.sinks > 0 && config_.sink_threshold > -1 && frames == 1;
}

void ReferenceRing::update(std::span<const int64_t> starts, int64_t frames,
                           const std::vector<std::vector<double>>& similarity) {
  if (starts.size() != rows_.size()) throw std::runtime_error("reference ring: number of rows changed");
  if (lists_.size() < rows_.size()) lists_.resize(rows_.size(), lists_.front());
  frames_written_ = frames;
  for (size_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    std::deque<int64_t>& list = lists_[i];
    if (compares_sinks(frames)) {
      const auto& values = similarity.at(i);
      const auto least = std::min_element(values.begin(), values.end());
      if (least == values.end()) throw std::runtime_error("reference ring: no similarities");
      if (*least < config_.sink_threshold) list.push_front(least - values.begin() + 1);
    }
    const int64_t end = starts[i] + frames;
    if (end > config_.slots || row.lend >= config_.slots)
      write_to_ring(row, list);
    else
      write_to_free_slots(row, list, end);
    row.gend = end;
  }
}

void ReferenceRing::write_to_ring(Row& row, std::deque<int64_t>& list) {
  if (list.empty()) throw std::runtime_error("reference ring: no slot to evict");
  const int64_t slot_end = list.front();
  if (rows_.size() == 1 && steps_left_ > 1) {
    --steps_left_;  // another denoising step of the chunk follows
  } else {
    list.pop_front();
    if (slot_end > config_.sinks) list.push_back(slot_end);
    steps_left_ = config_.steps;
  }
  row.first_slot = slot_end - frames_written_;
  row.lend = config_.slots;
}

void ReferenceRing::write_to_free_slots(Row& row, std::deque<int64_t>& list, int64_t end) {
  row.lend += end - row.gend;
  const int64_t next_end = end + frames_written_;
  if (next_end > config_.sinks && next_end <= config_.slots && (list.empty() || list.back() != next_end))
    list.push_back(next_end);
  row.first_slot = row.lend - frames_written_;
}

void ReferenceRing::repeat(size_t rows) { rows_.assign(rows, Row(rows_.front())); }

void ReferenceRing::restart() {
  rows_.assign(1, Row{});
  steps_left_ = config_.steps;
}

}  // namespace sdv2::parity
