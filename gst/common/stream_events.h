// SPDX-License-Identifier: LGPL-2.1-or-later
// What events and flow returns mean for an element that is a queue between its pads.
#pragma once

#include <gst/gst.h>

#include "common/event_kind.h"

namespace sdv2 {

// Events after which a pad that was at its end takes buffers again.
inline bool begins_stream(GstEventType type) {
  return type == GST_EVENT_STREAM_START || type == GST_EVENT_SEGMENT;
}

// Events from which on a downstream that was at its end may take buffers again, or has to learn of the end.
inline bool ends_discarding(GstEventType type) { return begins_stream(type) || type == GST_EVENT_EOS; }

// Flow returns after which the stream is over without having come to its end.
inline bool is_failure(GstFlowReturn flow) { return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS; }

// Whether a segment says the same as the one before: sources repeat theirs with a new position.
inline bool continues_segment(const GstSegment& before, const GstSegment& segment) {
  GstSegment moved = before;
  moved.position = segment.position;
  return gst_segment_is_equal(&moved, &segment) != FALSE;
}

// Upstream does not repeat its sticky events after a flush: one that had not left yet is left on the pad.
// Those of the segment and of the end are over with the flush. Holds no lock.
inline void keep_sticky_event(GstPad* src, GstEvent* event) {
  const GstEventType type = GST_EVENT_TYPE(event);
  if (is_sticky(event) && type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS)
    gst_pad_store_sticky_event(src, event);
}

}  // namespace sdv2
