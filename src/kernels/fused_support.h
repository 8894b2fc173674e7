// SPDX-License-Identifier: LGPL-2.1-or-later
// Which devices have fused kernels: several operations in one, with fewer roundings than operation by
// operation.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

#include "base/result.h"

namespace sdv2 {

// Whether networks of `type` on `device` run on fused kernels: Hopper GPUs (compute capability 9.0) in bf16.
bool has_fused_kernels(c10::ScalarType type, c10::Device device);

// What ModelConfig::kernels means there. Error kUnsupported when fused kernels are asked for and there are
// none.
Result<bool> use_fused_kernels(const std::string& kernels, c10::ScalarType type, c10::Device device);

}  // namespace sdv2
