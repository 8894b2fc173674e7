// SPDX-License-Identifier: LGPL-2.1-or-later
// For builds without the kernels.
#include "dit/fused/fused_dit.h"

namespace sdv2 {

std::unique_ptr<FusedDit> FusedDit::create(const CausalDit&, at::Device) { return nullptr; }

bool FusedDit::supports_fp8(const DitConfig&, at::Device) { return false; }

}  // namespace sdv2
