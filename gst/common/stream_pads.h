// SPDX-License-Identifier: LGPL-2.1-or-later
// The pads of an element whose streaming side is a C++ object: GStreamer's C functions around its methods.
#pragma once

#include <gst/gst.h>

#include "common/guard.h"

namespace sdv2 {

// `stream` is the member of the element's struct that points to the object. It has chain(), sink_event(),
// sink_query(), activate_sink() and their like of the source pad; push mode only.
template <auto stream>
class StreamPads;

template <class Element, class Stream, Stream* Element::*stream>
class StreamPads<stream> {
 public:
  // New always pads of the element, which owns them.
  static GstPad* add_sink(GstElement* element, GstStaticPadTemplate* pad_template) {
    GstPad* pad = gst_pad_new_from_static_template(pad_template, "sink");
    gst_pad_set_chain_function(pad, chain);
    gst_pad_set_event_full_function(pad, sink_event);
    gst_pad_set_query_function(pad, sink_query);
    gst_pad_set_activatemode_function(pad, activate_sink);
    gst_element_add_pad(element, pad);
    return pad;
  }
  static GstPad* add_src(GstElement* element, GstStaticPadTemplate* pad_template) {
    GstPad* pad = gst_pad_new_from_static_template(pad_template, "src");
    gst_pad_set_event_function(pad, src_event);
    gst_pad_set_query_function(pad, src_query);
    gst_pad_set_activatemode_function(pad, activate_src);
    gst_element_add_pad(element, pad);
    return pad;
  }

 private:
  static Stream* of(GstObject* parent) { return reinterpret_cast<Element*>(parent)->*stream; }

  static GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
    return guarded(parent, GST_FLOW_ERROR, [&] { return of(parent)->chain(buffer); });
  }
  static GstFlowReturn sink_event(GstPad*, GstObject* parent, GstEvent* event) {
    return guarded(parent, GST_FLOW_ERROR, [&] { return of(parent)->sink_event(event); });
  }
  static gboolean sink_query(GstPad*, GstObject* parent, GstQuery* query) {
    return guarded(parent, FALSE, [&] { return of(parent)->sink_query(query); });
  }
  static gboolean src_event(GstPad*, GstObject* parent, GstEvent* event) {
    return guarded(parent, FALSE, [&] { return of(parent)->src_event(event); });
  }
  static gboolean src_query(GstPad*, GstObject* parent, GstQuery* query) {
    return guarded(parent, FALSE, [&] { return of(parent)->src_query(query); });
  }
  static gboolean activate_sink(GstPad*, GstObject* parent, GstPadMode mode, gboolean active) {
    if (mode != GST_PAD_MODE_PUSH) return FALSE;
    return guarded(parent, FALSE, [&] { return of(parent)->activate_sink(active); });
  }
  static gboolean activate_src(GstPad*, GstObject* parent, GstPadMode mode, gboolean active) {
    if (mode != GST_PAD_MODE_PUSH) return FALSE;
    return guarded(parent, FALSE, [&] { return of(parent)->activate_src(active); });
  }
};

}  // namespace sdv2
