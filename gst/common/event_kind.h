// SPDX-License-Identifier: LGPL-2.1-or-later
// GST_EVENT_IS_SERIALIZED and its kin as functions: the macros mix two enum types, which C++20 deprecates.
#pragma once

#include <gst/gst.h>

namespace sdv2 {

inline bool is_serialized(const GstEvent* event) {
  return (gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_SERIALIZED) != 0;
}

inline bool is_sticky(const GstEvent* event) {
  return (gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_STICKY) != 0;
}

inline bool is_serialized(const GstQuery* query) {
  return (gst_query_type_get_flags(GST_QUERY_TYPE(query)) & GST_QUERY_TYPE_SERIALIZED) != 0;
}

}  // namespace sdv2
