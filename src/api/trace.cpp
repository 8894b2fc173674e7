// SPDX-License-Identifier: LGPL-2.1-or-later
// The sdv2_trace_* calls.
#include "runtime/trace.h"

#include "api/status.h"

sdv2_status* sdv2_trace_start(void) {
  return sdv2::guarded([] { return sdv2::to_status(sdv2::start_trace()); });
}

sdv2_status* sdv2_trace_stop(const char* path) {
  return sdv2::guarded([&] {
    return path == nullptr ? sdv2::invalid("sdv2_trace_stop: path is NULL")
                           : sdv2::to_status(sdv2::stop_trace(path));
  });
}
