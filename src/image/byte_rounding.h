// SPDX-License-Identifier: LGPL-2.1-or-later
// The one rounding from float to byte, for host and device.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace sdv2 {

// Clamped to 0…255 and rounded to the nearest, halves upwards; NaN gives 0.
SDV2_HOST_DEVICE inline uint8_t rounded_byte(float value) {
  const float positive = value > 0.0F ? value : 0.0F;
  const float clamped = positive < 255.0F ? positive : 255.0F;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): never negative, and lround would not be vectorised.
  return static_cast<uint8_t>(static_cast<int32_t>(clamped + 0.5F));
}

}  // namespace sdv2
