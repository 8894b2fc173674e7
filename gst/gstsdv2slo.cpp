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
 * * *Slope*: growth of the latency in milliseconds per minute: the line by least squares through the medians of
 *   tenths of windows. Near 0 in a pipeline that keeps up.
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

#include <new>
#include <string>

#include "common/guard.h"
#include "slo/slo_filter.h"
#include "slo/slo_publisher.h"

GST_DEBUG_CATEGORY(gst_sdv2_slo_debug);
#define GST_CAT_DEFAULT gst_sdv2_slo_debug

using sdv2::guarded;
using sdv2::MarkClock;
using sdv2::MarkMode;
using sdv2::SloFilter;
using sdv2::SloPublisher;
using sdv2::SloTargets;

namespace {

struct SloSettings {
  MarkMode mark = MarkMode::kNone;
  MarkClock mark_clock = MarkClock::kPipeline;
  SloTargets targets;
  GstClockTime window = 10 * GST_SECOND;
  GstClockTime interval = GST_SECOND;
  std::string log_file;
  std::string metrics_file;
};

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

enum {
  PROP_0,
  PROP_MARK,
  PROP_MARK_CLOCK,
  PROP_TARGET_LATENCY,
  PROP_TARGET_FPS,
  PROP_WINDOW,
  PROP_INTERVAL,
  PROP_LOG_FILE,
  PROP_METRICS_FILE,
  PROP_STATS,
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

#define GST_TYPE_SDV2_SLO_MARK (gst_sdv2_slo_mark_get_type())
/**
 * GstSdv2SloMark:
 * @none: no mark
 * @write: draw a mark into each picture
 * @read: read the mark that another meter has drawn
 *
 * Since: 0.1
 */
static GType gst_sdv2_slo_mark_get_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(MarkMode::kNone), "No mark", "none"},
      {static_cast<gint>(MarkMode::kWrite), "Draw a mark into each picture", "write"},
      {static_cast<gint>(MarkMode::kRead), "Read the mark that another meter has drawn", "read"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  if (g_once_init_enter(&type)) g_once_init_leave(&type, g_enum_register_static("GstSdv2SloMark", values));
  return type;
}

#define GST_TYPE_SDV2_SLO_MARK_CLOCK (gst_sdv2_slo_mark_clock_get_type())
/**
 * GstSdv2SloMarkClock:
 * @pipeline: the pipeline's clock
 * @realtime: the system's wall clock (UTC)
 *
 * Since: 0.1
 */
static GType gst_sdv2_slo_mark_clock_get_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(MarkClock::kPipeline), "The pipeline's clock", "pipeline"},
      {static_cast<gint>(MarkClock::kRealtime), "The system's wall clock (UTC)", "realtime"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  if (g_once_init_enter(&type))
    g_once_init_leave(&type, g_enum_register_static("GstSdv2SloMarkClock", values));
  return type;
}

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

static std::string string_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

static void gst_sdv2_slo_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  guarded(object, FALSE, [&] {
    GstSdv2Slo* self = GST_SDV2_SLO(object);
    const std::string text = G_VALUE_HOLDS_STRING(value) ? string_of(value) : "";
    GST_OBJECT_LOCK(self);
    SloSettings& settings = self->priv->settings;
    switch (id) {
      case PROP_MARK:
        settings.mark = static_cast<MarkMode>(g_value_get_enum(value));
        break;
      case PROP_MARK_CLOCK:
        settings.mark_clock = static_cast<MarkClock>(g_value_get_enum(value));
        break;
      case PROP_TARGET_LATENCY:
        settings.targets.latency = g_value_get_uint64(value);
        break;
      case PROP_TARGET_FPS:
        settings.targets.fps_n = gst_value_get_fraction_numerator(value);
        settings.targets.fps_d = gst_value_get_fraction_denominator(value);
        break;
      case PROP_WINDOW:
        settings.window = g_value_get_uint64(value);
        break;
      case PROP_INTERVAL:
        settings.interval = g_value_get_uint64(value);
        break;
      case PROP_LOG_FILE:
        settings.log_file = text;
        break;
      case PROP_METRICS_FILE:
        settings.metrics_file = text;
        break;
      default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    const SloTargets targets = settings.targets;
    GST_OBJECT_UNLOCK(self);
    self->priv->filter.set_targets(targets);
    return TRUE;
  });
}

static void gst_sdv2_slo_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  guarded(object, FALSE, [&] {
    GstSdv2Slo* self = GST_SDV2_SLO(object);
    const SloSettings settings = gst_sdv2_slo_settings(self);
    switch (id) {
      case PROP_MARK:
        g_value_set_enum(value, static_cast<gint>(settings.mark));
        break;
      case PROP_MARK_CLOCK:
        g_value_set_enum(value, static_cast<gint>(settings.mark_clock));
        break;
      case PROP_TARGET_LATENCY:
        g_value_set_uint64(value, settings.targets.latency);
        break;
      case PROP_TARGET_FPS:
        gst_value_set_fraction(value, settings.targets.fps_n, settings.targets.fps_d);
        break;
      case PROP_WINDOW:
        g_value_set_uint64(value, settings.window);
        break;
      case PROP_INTERVAL:
        g_value_set_uint64(value, settings.interval);
        break;
      case PROP_LOG_FILE:
        g_value_set_string(value, settings.log_file.empty() ? nullptr : settings.log_file.c_str());
        break;
      case PROP_METRICS_FILE:
        g_value_set_string(value, settings.metrics_file.empty() ? nullptr : settings.metrics_file.c_str());
        break;
      case PROP_STATS:
        g_value_take_boxed(value, SloPublisher::to_structure(self->priv->filter.report(), "sdv2-slo-stats"));
        break;
      default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    return TRUE;
  });
}

// --- Class and instance ---

static void gst_sdv2_slo_finalize(GObject* object) {
  delete GST_SDV2_SLO(object)->priv;
  G_OBJECT_CLASS(gst_sdv2_slo_parent_class)->finalize(object);
}

static void gst_sdv2_slo_install_properties(GObjectClass* object_class) {
  const auto ready =
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto paused =
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PAUSED);
  const auto playing =
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto read_only = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GstSdv2Slo:mark:
   *
   * Whether to draw or to read the mark in the picture. A warning is posted when the format cannot carry one.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_MARK,
      g_param_spec_enum("mark", "Mark", "Draw a latency mark into each picture, or read it",
                        GST_TYPE_SDV2_SLO_MARK, static_cast<gint>(MarkMode::kNone), ready));
  /**
   * GstSdv2Slo:mark-clock:
   *
   * The clock of the time in the mark; the same on both meters.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_MARK_CLOCK,
      g_param_spec_enum("mark-clock", "Mark clock", "Clock of the time in the mark, the same on both meters",
                        GST_TYPE_SDV2_SLO_MARK_CLOCK, static_cast<gint>(MarkClock::kPipeline), ready));
  /**
   * GstSdv2Slo:target-latency:
   *
   * Frames older than this, in nanoseconds, count as late: by the mark when one is read, else on the pipeline
   * clock. 0 promises nothing.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_TARGET_LATENCY,
      g_param_spec_uint64("target-latency", "Target latency",
                          "Latency in nanoseconds above which a frame is late (0 = none)", 0, G_MAXINT64, 0,
                          playing));
  /**
   * GstSdv2Slo:target-fps:
   *
   * Frame rate that is promised, in frames per second. Each frame time that passes without a frame is a miss.
   * 0/1 promises nothing.
   *
   * Since: 0.1
   */
  g_object_class_install_property(object_class, PROP_TARGET_FPS,
                                  gst_param_spec_fraction("target-fps", "Target frame rate",
                                                          "Frames per second that are promised (0/1 = none)",
                                                          0, 1, 1000, 1, 0, 1, playing));
  /**
   * GstSdv2Slo:window:
   *
   * Length of the sliding window in nanoseconds. It slides by tenths.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_WINDOW,
      g_param_spec_uint64("window", "Window",
                          "Length in nanoseconds of the sliding window of the window-... statistics",
                          GST_MSECOND, 3600 * GST_SECOND, 10 * GST_SECOND, ready));
  /**
   * GstSdv2Slo:interval:
   *
   * Time between two reports (messages and files) in nanoseconds; 0 reports at the end only.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_INTERVAL,
      g_param_spec_uint64("interval", "Interval",
                          "Time in nanoseconds between reports by message and file (0 = only at the end)", 0,
                          G_MAXINT64, GST_SECOND, paused));
  /**
   * GstSdv2Slo:log-file:
   *
   * File to which each report is appended as one line of JSON: `time` (UTC), `element`, `final`, and the
   * fields of #GstSdv2Slo:stats.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_LOG_FILE,
      g_param_spec_string("log-file", "Log file",
                          "File to append each report to, as a line of JSON (none = no log)", nullptr,
                          ready));
  /**
   * GstSdv2Slo:metrics-file:
   *
   * File that each report replaces, in Prometheus' text format, for the textfile collector of node_exporter.
   * It is replaced as a whole: readers never see a part.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_METRICS_FILE,
      g_param_spec_string("metrics-file", "Metrics file",
                          "File that each report replaces, in Prometheus' text format (none = no metrics)",
                          nullptr, ready));
  /**
   * GstSdv2Slo:stats:
   *
   * What has been measured since the element left READY, as a #GstStructure named `sdv2-slo-stats`. Counters
   * are uint64, times int64 in nanoseconds, the others double:
   *
   * * `frames`, `run-time` (first to last frame), `first-frame-time` (READY to PAUSED to first frame),
   * `rate`, `window-rate` (per second)
   * * `latency-count`, and when it is not 0 `latency-min`, `-mean`, `-p50`, `-p90`, `-p95`, `-p99`, `-max`;
   * the same for `window-latency`, `mark-latency`, `window-mark-latency`, `gap` and `window-gap`
   * * `latency-slope`, `window-latency-slope` (milliseconds per minute), `jitter`
   * * `early-frames`, `late-frames`, `rate-misses`, `dropped-frames`, `frozen-frames`, `marks-missing`,
   * `longest-freeze`
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Latency, rate, gaps, drift, misses and losses since the start; times in nanoseconds",
          GST_TYPE_STRUCTURE, read_only));
}

static void gst_sdv2_slo_class_init(GstSdv2SloClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstBaseTransformClass* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  object_class->finalize = gst_sdv2_slo_finalize;
  object_class->set_property = gst_sdv2_slo_set_property;
  object_class->get_property = gst_sdv2_slo_get_property;
  gst_sdv2_slo_install_properties(object_class);
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
  gst_type_mark_as_plugin_api(GST_TYPE_SDV2_SLO_MARK, static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(GST_TYPE_SDV2_SLO_MARK_CLOCK, static_cast<GstPluginAPIFlags>(0));
}

static void gst_sdv2_slo_init(GstSdv2Slo* self) {
  self->priv = new SloPrivate(GST_ELEMENT(self));
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  // Buffers that are marked as gaps keep that mark.
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}
