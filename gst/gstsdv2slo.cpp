// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2slo: the GObject around SloFilter (measures) and SloPublisher (reports): properties, states, events.

/**
 * SECTION:element-sdv2slo
 * @title: sdv2slo
 * @see_also: sdv2chunk, sdv2transform
 *
 * Measures whether a stream keeps its service-level objectives: latency of each frame, time to the first
 * frame, frame rate, gaps between frames, drift, late, lost and frozen frames. Buffers pass unchanged (except
 * for the mark); the element can stand anywhere, also between coded streams.
 *
 * ## What is measured
 *
 * * *Latency*: the pipeline clock's time minus the base time and the frame's running time: how old the frame
 *   is here. Frames that come before their time count as early, with a negative minimum. With a live source
 *   this is the time since the picture was taken.
 * * *Slope*: growth of the latency in milliseconds per minute, by least squares through the medians of tenths
 *   of windows. Near 0 in a pipeline that keeps up.
 * * *Jitter*: change of the latency from frame to frame, smoothed as in RFC 3550. *Gap*: time between frames.
 * * *Late frames*: latency above #GstSdv2Slo:target-latency. *Rate misses*: frame times of
 *   #GstSdv2Slo:target-fps that passed without a frame.
 * * *Dropped frames*: steps in the numbers of the frames, taken from the mark, else from the chunk meta of
 *   sdv2chunk, else from the buffer offsets of raw video.
 * * *Frozen frames*, *longest freeze*: identical pictures in a row; of pictures over 1 MiB only some rows are
 *   compared. Only raw video in system memory.
 *
 * Medians and quantiles of the latency and the gap are given for the whole run and for the last
 * #GstSdv2Slo:window; they are within 0.4 % of the true ones. Frames that pass before the pipeline plays
 * (preroll) are counted only.
 *
 * ## The mark
 *
 * With #GstSdv2Slo:mark `write` the element draws a field of 160x32 pixels of black and white blocks into the
 * top left corner of each picture. It holds the time at which the frame passed and a frame number, and
 * survives H.264 at 1 Mbit/s. A second sdv2slo with #GstSdv2Slo:mark `read`, behind any encoder, network and
 * decoder that keep the picture's size, measures the way between the two. Pictures that are repeated on the
 * way are measured once. The mark does not survive sdv2transform, which paints over it.
 *
 * The time is absolute: both meters must read the same clock. By default that is the pipeline's clock. Two
 * pipelines of one machine that use the system clock (monotonic, GStreamer's default when no audio device
 * provides the clock) share it, in one process or several; on several machines use a network clock
 * (GstNetClientClock, GstPtpClock). Where pipelines have clocks of their own, for example of an audio device,
 * set #GstSdv2Slo:mark-clock to `realtime` on both: the wall clock, on several machines as good as their NTP
 * synchronisation.
 *
 * ## Messages
 *
 * An element message `sdv2-slo` every #GstSdv2Slo:interval, and one at the end of the stream with the field
 * `final` (boolean) TRUE. The other fields are those of #GstSdv2Slo:stats. At the end of the stream an INFO
 * message has a summary for people, which gst-launch-1.0 prints.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc is-live=true num-buffers=200 ! sdv2chunk ! sdv2transform ! \
 *   sdv2slo target-latency=500000000 ! fakesink sync=true
 * ]|
 * Prints the latency of the transform.
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! sdv2slo mark=write ! x264enc tune=zerolatency bitrate=1000 ! \
 *   rtph264pay ! udpsink host=127.0.0.1 port=5000
 * gst-launch-1.0 udpsrc port=5000 caps="application/x-rtp,encoding-name=H264" ! rtpjitterbuffer ! \
 *   rtph264depay ! avdec_h264 ! sdv2slo mark=read ! autovideosink
 * ]|
 * Measures the way through encoder, network and decoder between two processes of one machine.
 *
 * Since: 0.1
 */

#include "gstsdv2slo.h"

#include "common/guard.h"
#include "slo/slo_filter.h"
#include "slo/slo_properties.h"
#include "slo/slo_publisher.h"

GST_DEBUG_CATEGORY(gst_sdv2_slo_debug);
#define GST_CAT_DEFAULT gst_sdv2_slo_debug

using sdv2::guarded;
using sdv2::MarkMode;
using sdv2::SloFilter;
using sdv2::SloPublisher;
using sdv2::SloSettings;
using sdv2::SloTargets;

namespace {

struct SloPrivate {
  explicit SloPrivate(GstElement* element) : filter(element), publisher(element, filter) {}
  SloSettings settings;  // guarded by the element's object lock
  SloFilter filter;
  SloPublisher publisher;
};

}  // namespace

struct _GstSdv2Slo {
  GstBaseTransform parent;
  SloPrivate* priv;
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

// The usual ones of the formats that can carry a mark.
static GstStaticCaps mark_caps =
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ I420, NV12, YV12, NV21, YUY2, UYVY, YVYU, Y42B, Y444, RGB, BGR, "
                                        "RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, "
                                        "ABGR, AYUV, GRAY8 }"));

G_DEFINE_TYPE_WITH_CODE(GstSdv2Slo, gst_sdv2_slo, GST_TYPE_BASE_TRANSFORM,
                        GST_DEBUG_CATEGORY_INIT(gst_sdv2_slo_debug, "sdv2slo", 0, "sdv2slo element"))
GST_ELEMENT_REGISTER_DEFINE(sdv2slo, "sdv2slo", GST_RANK_NONE, GST_TYPE_SDV2_SLO)

static SloSettings gst_sdv2_slo_settings(GstSdv2Slo* self) {
  GST_OBJECT_LOCK(self);
  SloSettings settings = self->priv->settings;
  GST_OBJECT_UNLOCK(self);
  return settings;
}

// --- Stream ---

static gboolean gst_sdv2_slo_start(GstBaseTransform* transform) {
  return guarded(transform, FALSE, [&] {
    GstSdv2Slo* self = GST_SDV2_SLO(transform);
    const SloSettings settings = gst_sdv2_slo_settings(self);
    self->priv->filter.start(settings.mark, settings.mark_clock, settings.window);
    gst_base_transform_set_passthrough(transform, settings.mark != MarkMode::kWrite);
    return static_cast<gboolean>(self->priv->publisher.open(settings.log_file, settings.metrics_file));
  });
}

static gboolean gst_sdv2_slo_stop(GstBaseTransform* transform) {
  return guarded(transform, FALSE, [&] {
    GST_SDV2_SLO(transform)->priv->publisher.close();
    return TRUE;
  });
}

// Any format passes, but formats that can carry a mark are preferred when one is wanted.
static GstCaps* gst_sdv2_slo_transform_caps(GstBaseTransform* transform, GstPadDirection, GstCaps* caps,
                                            GstCaps* filter) {
  return guarded(transform, static_cast<GstCaps*>(nullptr), [&] {
    GstCaps* result = gst_caps_ref(caps);
    if (gst_sdv2_slo_settings(GST_SDV2_SLO(transform)).mark != MarkMode::kNone) {
      GstCaps* preferred = gst_static_caps_get(&mark_caps);
      result = gst_caps_merge(gst_caps_intersect_full(caps, preferred, GST_CAPS_INTERSECT_FIRST), result);
      gst_caps_unref(preferred);
    }
    if (filter != nullptr) {
      GstCaps* filtered = gst_caps_intersect_full(result, filter, GST_CAPS_INTERSECT_FIRST);
      gst_caps_unref(result);
      result = filtered;
    }
    return result;
  });
}

static gboolean gst_sdv2_slo_set_caps(GstBaseTransform* transform, GstCaps* in, GstCaps*) {
  return guarded(transform, FALSE, [&] {
    GST_SDV2_SLO(transform)->priv->filter.set_caps(in);
    return TRUE;
  });
}

static GstFlowReturn gst_sdv2_slo_transform_ip(GstBaseTransform* transform, GstBuffer* buffer) {
  return guarded(transform, GST_FLOW_ERROR, [&] {
    GST_SDV2_SLO(transform)->priv->filter.process(buffer, transform->segment);
    return GST_FLOW_OK;
  });
}

// Works in place, so downstream's answer holds for upstream too, pool included.
static gboolean gst_sdv2_slo_propose_allocation(GstBaseTransform* transform, GstQuery*, GstQuery* query) {
  return gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(transform), query);
}

// No buffers of our own, so no pool.
static gboolean gst_sdv2_slo_decide_allocation(GstBaseTransform*, GstQuery* query) {
  while (gst_query_get_n_allocation_pools(query) > 0) gst_query_remove_nth_allocation_pool(query, 0);
  return TRUE;
}

// A buffer that others hold gets a header of its own; drawing then copies only the memory that is drawn into.
static GstFlowReturn gst_sdv2_slo_prepare_output_buffer(GstBaseTransform* transform, GstBuffer* in,
                                                        GstBuffer** out) {
  const bool as_it_is = gst_base_transform_is_passthrough(transform) || gst_buffer_is_writable(in);
  *out = as_it_is ? in : gst_buffer_copy(in);
  return GST_FLOW_OK;
}

static gboolean gst_sdv2_slo_sink_event(GstBaseTransform* transform, GstEvent* event) {
  guarded(transform, FALSE, [&] {
    SloPrivate& priv = *GST_SDV2_SLO(transform)->priv;
    switch (GST_EVENT_TYPE(event)) {
      case GST_EVENT_STREAM_START:
      case GST_EVENT_FLUSH_STOP:
        priv.filter.interrupt();
        priv.publisher.begin_stream();
        break;
      case GST_EVENT_EOS:
        priv.publisher.publish_final();
        break;
      default:
        break;
    }
    return TRUE;
  });
  return GST_BASE_TRANSFORM_CLASS(gst_sdv2_slo_parent_class)->sink_event(transform, event);
}

// --- States ---

static GstStateChangeReturn gst_sdv2_slo_change_state(GstElement* element, GstStateChange transition) {
  return guarded(element, GST_STATE_CHANGE_FAILURE, [&] {
    GstSdv2Slo* self = GST_SDV2_SLO(element);
    if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
      self->priv->publisher.stop_timer();
      self->priv->filter.set_playing(false);
    }
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_sdv2_slo_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE) {
      self->priv->filter.set_playing(true);
      const GstClockTime interval = gst_sdv2_slo_settings(self).interval;
      GstClock* clock = gst_element_get_clock(element);
      if (clock != nullptr && interval > 0) self->priv->publisher.start_timer(clock, interval);
      gst_clear_object(&clock);
    }
    return result;
  });
}

// --- Properties ---

static void gst_sdv2_slo_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  guarded(object, FALSE, [&] {
    GstSdv2Slo* self = GST_SDV2_SLO(object);
    GST_OBJECT_LOCK(self);
    const bool known = sdv2::set_slo_property(self->priv->settings, id, value);
    const SloTargets targets = self->priv->settings.targets;
    GST_OBJECT_UNLOCK(self);
    if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    self->priv->filter.set_targets(targets);
    return TRUE;
  });
}

static void gst_sdv2_slo_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  guarded(object, FALSE, [&] {
    GstSdv2Slo* self = GST_SDV2_SLO(object);
    if (id == sdv2::kSloStats) {
      g_value_take_boxed(value, SloPublisher::to_structure(self->priv->filter.report(), "sdv2-slo-stats"));
    } else if (!sdv2::get_slo_property(gst_sdv2_slo_settings(self), id, value)) {
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    return TRUE;
  });
}

// --- Class and instance ---

static void gst_sdv2_slo_finalize(GObject* object) {
  delete GST_SDV2_SLO(object)->priv;
  G_OBJECT_CLASS(gst_sdv2_slo_parent_class)->finalize(object);
}

static void gst_sdv2_slo_class_init(GstSdv2SloClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstBaseTransformClass* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  object_class->finalize = gst_sdv2_slo_finalize;
  object_class->set_property = gst_sdv2_slo_set_property;
  object_class->get_property = gst_sdv2_slo_get_property;
  sdv2::install_slo_properties(object_class);
  element_class->change_state = gst_sdv2_slo_change_state;
  transform_class->start = gst_sdv2_slo_start;
  transform_class->stop = gst_sdv2_slo_stop;
  transform_class->transform_caps = gst_sdv2_slo_transform_caps;
  transform_class->set_caps = gst_sdv2_slo_set_caps;
  transform_class->transform_ip = gst_sdv2_slo_transform_ip;
  transform_class->sink_event = gst_sdv2_slo_sink_event;
  transform_class->propose_allocation = gst_sdv2_slo_propose_allocation;
  transform_class->decide_allocation = gst_sdv2_slo_decide_allocation;
  transform_class->prepare_output_buffer = gst_sdv2_slo_prepare_output_buffer;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "SLO meter", "Filter/Analyzer/Video",
      "Measures latency, frame rate, gaps, drift and losses of the frames that pass", "The sdv2 developers");
  gst_type_mark_as_plugin_api(sdv2::slo_mark_type(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(sdv2::slo_mark_clock_type(), static_cast<GstPluginAPIFlags>(0));
}

static void gst_sdv2_slo_init(GstSdv2Slo* self) {
  self->priv = new SloPrivate(GST_ELEMENT(self));
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  // Buffers that are marked as gaps keep that mark.
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}
