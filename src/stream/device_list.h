// SPDX-License-Identifier: LGPL-2.1-or-later
// The devices that a user names.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// "auto" (the first GPU, else the CPU: two workers where it has several cores) or names with commas between
// them: cpu, cuda (the first GPU), cuda:N. One device worker each, in that order; a device may stand in the
// list more than once. Errors: kInvalidArgument for what cannot be read, kNotFound for a GPU that is not
// there.
Result<std::vector<c10::Device>> parse_devices(const std::string& text);

}  // namespace sdv2
