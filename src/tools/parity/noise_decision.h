// SPDX-License-Identifier: LGPL-2.1-or-later
// How near the noise controller's decisions must be to recorded ones.
#pragma once

namespace sdv2::parity {

// A chunk's noise scale and the first timestep that follows from it.
struct NoiseDecision {
  double noise_scale = 0;
  int step = 0;
};

// In float32 the scale may differ by the order of a mean's summation (1e-7), and the step by one only where
// that can carry it over an integer; in bf16 the measured motion is rounded to 8 bits.
bool close(const NoiseDecision& got, const NoiseDecision& want, bool low_precision);

}  // namespace sdv2::parity
