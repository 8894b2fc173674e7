// SPDX-License-Identifier: LGPL-2.1-or-later
// A failure of a device that is asked for, to try out what happens then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sdv2 {

// A worker fails when it is to begin that chunk of a stream: before its first segment there.
struct Fault {
  size_t worker = 0;
  int64_t chunk = 0;  // in its stream; 0 is the first
  bool operator==(const Fault&) const = default;
};

// Reads "deviceN@chunkM": N is the place of the device in the list of devices, from 0. Errors:
// kInvalidArgument telling the form.
Result<Fault> parse_fault(std::string_view text);
std::string to_string(const Fault& fault);

}  // namespace sdv2
