// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/noise_decision.h"

#include <cmath>

namespace sdv2::parity {

bool close(const NoiseDecision& got, const NoiseDecision& want, bool low_precision) {
  const double distance = std::abs(got.noise_scale - want.noise_scale);
  const bool next_step = std::abs(got.step - want.step) <= 1;
  if (low_precision) return distance <= 4e-4 && next_step;
  const double thousandths = 1000 * want.noise_scale;
  const bool may_round = std::abs(thousandths - std::round(thousandths)) <= 1e-4;
  return distance <= 1e-7 && (got.step == want.step || (may_round && next_step));
}

}  // namespace sdv2::parity
