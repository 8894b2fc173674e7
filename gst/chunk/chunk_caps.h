// SPDX-License-Identifier: LGPL-2.1-or-later
// What sdv2chunk answers to questions about formats, latency and buffers. Functions of their arguments: no
// state, no lock.
#pragma once

#include <gst/gst.h>

namespace sdv2 {

// Frames per second that leave the element; 0/1: those that come in.
struct FrameRate {
  gint numerator = 0;
  gint denominator = 1;
  bool as_input() const { return numerator == 0; }
};

// Answers a CAPS query on `pad`, whose stream goes on at `other`. A fixed rate is asked for and promised at
// the source pad; any rate is taken at the sink pad.
void answer_caps_query(GstPad* pad, GstPad* other, FrameRate rate, GstQuery* query);

// Answers an ACCEPT_CAPS query on the sink pad: what the template allows and `src`'s peer takes.
void answer_accept_caps_query(GstPad* sink, GstPad* src, FrameRate rate, GstQuery* query);

// The caps that leave when `caps` come in. The caller owns the result.
GstCaps* caps_at_rate(GstCaps* caps, FrameRate rate);

// What the element adds to the latency that its upstream reports.
struct QueueLatency {
  GstClockTime min = 0;       // that every frame may be delayed by
  GstClockTime capacity = 0;  // that the queue can hold
  bool leaky = true;          // full means drop, not wait
};

// Puts the element's part into a LATENCY query that upstream has answered. Returns whether upstream is live.
bool add_latency(GstQuery* query, const QueueLatency& own);

// Adds the frames that the element holds to what an ALLOCATION query asks of upstream's pool.
void add_buffers_to_allocation(GstQuery* query, guint frames);

}  // namespace sdv2
