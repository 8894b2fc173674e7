// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/reference_positions.h"

#include <algorithm>

namespace sdv2::parity {

void ReferencePositions::begin_session() {
  next_ = config_.first_frames();
  starts_.assign(static_cast<size_t>(config_.rows()), next_);
}

const std::vector<int64_t>& ReferencePositions::next_chunk() {
  if (config_.refresh_at && next_ >= *config_.refresh_at) next_ = config_.ring.slots - 1;
  std::shift_right(starts_.begin(), starts_.end(), 1);
  starts_.front() = next_;
  next_ += config_.frames_per_chunk;
  return starts_;
}

}  // namespace sdv2::parity
