// SPDX-License-Identifier: LGPL-2.1-or-later
// The border between GStreamer's C callbacks and our C++: no exception crosses it.
#pragma once

#include <gst/gst.h>

#include <exception>

namespace sdv2 {

// Runs `body` and returns its result; an exception (only the standard library can throw here, when memory
// runs out) becomes an element error and `fallback`. Holds no lock.
template <class R, class Body>
R guarded(void* element, R fallback, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& e) {
    GST_ELEMENT_ERROR(GST_ELEMENT(element), LIBRARY, FAILED, ("Internal error."), ("%s", e.what()));
  } catch (...) {
    GST_ELEMENT_ERROR(GST_ELEMENT(element), LIBRARY, FAILED, ("Internal error."), ("unknown exception"));
  }
  return fallback;
}

}  // namespace sdv2
