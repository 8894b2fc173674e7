// SPDX-License-Identifier: LGPL-2.1-or-later
// A failure or slowness of a device that is asked for, to try out what happens then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sdv2 {

struct Fault {
  size_t worker = 0;
  // In its stream; 0 is the first. The worker fails when it is to begin `chunk`, before its first segment
  // there. With a slowdown it does not fail: from `chunk` to `last` all of its work takes that many times as
  // long.
  int64_t chunk = 0;
  int64_t last = 0;
  double slowdown = 0;  // 1 or more; 0: it fails
  bool operator==(const Fault&) const = default;

  bool fails() const { return slowdown == 0; }
  bool slows(size_t on_worker, int64_t begins) const {
    return !fails() && on_worker == worker && begins >= chunk && begins <= last;
  }
};

// Reads "deviceN@chunkM" or "deviceN*F@chunkM-L" (F times slower, 1…1000): N is the place of the device in
// the list of devices, from 0. Errors: kInvalidArgument telling the forms.
Result<Fault> parse_fault(std::string_view text);
std::string to_string(const Fault& fault);

}  // namespace sdv2
