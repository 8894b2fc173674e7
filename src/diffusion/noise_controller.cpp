// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/noise_controller.h"

namespace sdv2 {

double NoiseController::update(double motion) {
  // The order of these operations decides the last bits, which feed back.
  noise_scale_ = (initial_scale_ - 0.1 * motion) * 0.9 + noise_scale_ * 0.1;
  return noise_scale_;
}

}  // namespace sdv2
