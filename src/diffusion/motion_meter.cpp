// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/motion_meter.h"

#include <ATen/ATen.h>

#include "runtime/download.h"

namespace sdv2 {
namespace {

// The RMS change (pixels in [-1, 1]) that counts as full motion.
constexpr double kFullMotion = 0.2;

}  // namespace

at::Tensor rms_changes(const at::Tensor& frames) {
  const int64_t changes = frames.size(0) - 1;
  const at::Tensor change = frames.narrow(0, 1, changes) - frames.narrow(0, 0, changes);  // [S, 3, H, W]
  return change.square().mean({1, 2, 3}).sqrt();                                          // [S]
}

void MotionMeter::start(const at::Tensor& pixels) { last_ = pixels.narrow(0, pixels.size(0) - 1, 1).clone(); }

double MotionMeter::measure(const at::Tensor& pixels) {
  const at::Tensor changes = rms_changes(at::cat({last_, pixels}));
  start(pixels);
  return fetch((changes.max() / kFullMotion).clamp(0, 1));
}

}  // namespace sdv2
