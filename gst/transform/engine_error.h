// SPDX-License-Identifier: LGPL-2.1-or-later
// The engine's errors as messages on the bus.
#pragma once

#include <gst/gst.h>

#include "transform/engine_api.h"

namespace sdv2 {

// Posts an ERROR or WARNING of the domain and code that fit the status: `text` for the user, the engine's
// words in the debug string. Holds no lock.
inline void post_engine_status(GstElement* element, GstMessageType type, const char* text,
                               const EngineStatus& status) {
  GQuark domain = GST_RESOURCE_ERROR;
  gint code = GST_RESOURCE_ERROR_FAILED;
  switch (status.code) {
    case SDV2_NOT_FOUND:
      code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case SDV2_BUSY:
      code = GST_RESOURCE_ERROR_BUSY;
      break;
    case SDV2_CORRUPT:
      code = GST_RESOURCE_ERROR_OPEN_READ;
      break;
    case SDV2_INVALID_ARGUMENT:
      domain = GST_LIBRARY_ERROR;
      code = GST_LIBRARY_ERROR_SETTINGS;
      break;
    case SDV2_UNSUPPORTED:
      domain = GST_LIBRARY_ERROR;
      code = GST_LIBRARY_ERROR_INIT;
      break;
    case SDV2_INTERNAL:
      domain = GST_LIBRARY_ERROR;
      code = GST_LIBRARY_ERROR_FAILED;
      break;
    default:
      break;
  }
  gst_element_message_full(element, type, domain, code, g_strdup(text), g_strdup(status.message.c_str()),
                           __FILE__, GST_FUNCTION, __LINE__);
}

}  // namespace sdv2
