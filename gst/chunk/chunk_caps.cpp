// SPDX-License-Identifier: LGPL-2.1-or-later
// Caps, latency and allocation answers of sdv2chunk.
#include "chunk/chunk_caps.h"

#include <gst/video/video.h>

#include <algorithm>

#include "common/gst_ptr.h"

namespace sdv2 {
namespace {

using CapsPtr = GstPtr<GstCaps>;

CapsPtr at_any_rate(GstCaps* caps) {
  CapsPtr any = CapsPtr::adopt(gst_caps_copy(caps));
  for (guint i = 0; i < gst_caps_get_size(any.get()); ++i) {
    gst_structure_set(gst_caps_get_structure(any.get(), i), "framerate", GST_TYPE_FRACTION_RANGE, 0, 1,
                      G_MAXINT, 1, nullptr);
  }
  return any;
}

CapsPtr at_rate(GstCaps* caps, FrameRate rate) { return CapsPtr::adopt(caps_at_rate(caps, rate)); }

}  // namespace

GstCaps* caps_at_rate(GstCaps* caps, FrameRate rate) {
  GstCaps* fixed = gst_caps_copy(caps);
  if (rate.as_input()) return fixed;
  for (guint i = 0; i < gst_caps_get_size(fixed); ++i) {
    GstStructure* structure = gst_caps_get_structure(fixed, i);
    gst_structure_set(structure, "framerate", GST_TYPE_FRACTION, rate.numerator, rate.denominator, nullptr);
    gst_structure_remove_field(structure, "max-framerate");
  }
  return fixed;
}

void answer_caps_query(GstPad* pad, GstPad* other, FrameRate rate, GstQuery* query) {
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  const bool at_sink = gst_pad_get_direction(pad) == GST_PAD_SINK;
  const CapsPtr allowed = CapsPtr::adopt(gst_pad_get_pad_template_caps(pad));
  const auto to_other = [&](GstCaps* caps) {
    if (rate.as_input()) return CapsPtr::ref(caps);
    return at_sink ? at_rate(caps, rate) : at_any_rate(caps);
  };
  const auto to_here = [&](GstCaps* caps) {
    if (rate.as_input()) return CapsPtr::ref(caps);
    return at_sink ? at_any_rate(caps) : at_rate(caps, rate);
  };
  const CapsPtr asked = to_other(filter != nullptr ? filter : allowed.get());
  const CapsPtr theirs = CapsPtr::adopt(gst_pad_peer_query_caps(other, asked.get()));
  const CapsPtr here = to_here(theirs.get());
  CapsPtr result =
      CapsPtr::adopt(gst_caps_intersect_full(here.get(), allowed.get(), GST_CAPS_INTERSECT_FIRST));
  if (filter != nullptr)
    result = CapsPtr::adopt(gst_caps_intersect_full(filter, result.get(), GST_CAPS_INTERSECT_FIRST));
  gst_query_set_caps_result(query, result.get());
}

void answer_accept_caps_query(GstPad* sink, GstPad* src, FrameRate rate, GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_accept_caps(query, &caps);
  const CapsPtr allowed = CapsPtr::adopt(gst_pad_get_pad_template_caps(sink));
  // Caps may leave fields open that the template does not mention: intersecting is enough.
  gboolean accepted = gst_caps_can_intersect(caps, allowed.get());
  if (accepted) accepted = gst_pad_peer_query_accept_caps(src, at_rate(caps, rate).get());
  gst_query_set_accept_caps_result(query, accepted);
}

bool add_latency(GstQuery* query, const QueueLatency& own) {
  gboolean live = FALSE;
  GstClockTime min = 0;
  GstClockTime max = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &min, &max);
  min += own.min;
  if (own.capacity > 0) {
    if (own.leaky) {
      // What waits longer than the queue can hold is dropped, whatever the elements before could hold.
      max = std::max(min, std::min<GstClockTime>(max, own.capacity));
    } else if (max != GST_CLOCK_TIME_NONE) {
      max += own.capacity;
    }
  }
  gst_query_set_latency(query, live, min, max);
  return live;
}

void add_buffers_to_allocation(GstQuery* query, guint frames) {
  guint size = 0;
  guint min = 0;
  guint max = 0;
  for (guint i = 0; i < gst_query_get_n_allocation_pools(query); ++i) {
    GstBufferPool* pool = nullptr;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &min, &max);
    gst_query_set_nth_allocation_pool(query, i, pool, size, min + frames, max > 0 ? max + frames : 0);
    if (pool != nullptr) gst_object_unref(pool);
  }
  if (gst_query_get_n_allocation_pools(query) > 0) return;
  GstCaps* caps = nullptr;
  GstVideoInfo info;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (caps == nullptr || !gst_video_info_from_caps(&info, caps)) return;
  gst_query_add_allocation_pool(query, nullptr, static_cast<guint>(info.size), frames, 0);
}

}  // namespace sdv2
