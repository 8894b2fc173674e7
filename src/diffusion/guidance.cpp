// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/guidance.h"

namespace sdv2 {

bool needs_negative_pass(const Guidance& guidance, int step) {
  if (!guidance.active()) return false;
  return guidance.mode == GuidanceMode::kFull ||
         (guidance.mode == GuidanceMode::kOneTimeNegative && step == 0);
}

}  // namespace sdv2
