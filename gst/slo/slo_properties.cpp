// SPDX-License-Identifier: LGPL-2.1-or-later
// Declarations and documentation of sdv2slo's properties.
#include "slo/slo_properties.h"

namespace sdv2 {
namespace {

std::string string_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

const gchar* string_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

/**
 * GstSdv2SloMark:
 * @none: no mark
 * @write: draw a mark into each picture
 * @read: read the mark that another meter has drawn
 *
 * Since: 0.1
 */
GType slo_mark_type() {
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

/**
 * GstSdv2SloMarkClock:
 * @pipeline: the pipeline's clock
 * @realtime: the system's wall clock (UTC)
 *
 * Since: 0.1
 */
GType slo_mark_clock_type() {
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

void install_slo_properties(GObjectClass* object_class) {
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
      object_class, kSloMark,
      g_param_spec_enum("mark", "Mark", "Draw a latency mark into each picture, or read it", slo_mark_type(),
                        static_cast<gint>(MarkMode::kNone), ready));
  /**
   * GstSdv2Slo:mark-clock:
   *
   * The clock of the time in the mark; the same on both meters.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, kSloMarkClock,
      g_param_spec_enum("mark-clock", "Mark clock", "Clock of the time in the mark, the same on both meters",
                        slo_mark_clock_type(), static_cast<gint>(MarkClock::kPipeline), ready));
  /**
   * GstSdv2Slo:target-latency:
   *
   * Frames older than this, in nanoseconds, count as late: by the mark when one is read, else on the pipeline
   * clock. 0 promises nothing.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, kSloTargetLatency,
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
  g_object_class_install_property(object_class, kSloTargetFps,
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
      object_class, kSloWindow,
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
      object_class, kSloInterval,
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
      object_class, kSloLogFile,
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
      object_class, kSloMetricsFile,
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
      object_class, kSloStats,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Latency, rate, gaps, drift, misses and losses since the start; times in nanoseconds",
          GST_TYPE_STRUCTURE, read_only));
}

bool set_slo_property(SloSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case kSloMark:
      settings.mark = static_cast<MarkMode>(g_value_get_enum(value));
      return true;
    case kSloMarkClock:
      settings.mark_clock = static_cast<MarkClock>(g_value_get_enum(value));
      return true;
    case kSloTargetLatency:
      settings.targets.latency = g_value_get_uint64(value);
      return true;
    case kSloTargetFps:
      settings.targets.fps_n = gst_value_get_fraction_numerator(value);
      settings.targets.fps_d = gst_value_get_fraction_denominator(value);
      return true;
    case kSloWindow:
      settings.window = g_value_get_uint64(value);
      return true;
    case kSloInterval:
      settings.interval = g_value_get_uint64(value);
      return true;
    case kSloLogFile:
      settings.log_file = string_of(value);
      return true;
    case kSloMetricsFile:
      settings.metrics_file = string_of(value);
      return true;
    default:
      return false;
  }
}

bool get_slo_property(const SloSettings& settings, guint id, GValue* value) {
  switch (id) {
    case kSloMark:
      g_value_set_enum(value, static_cast<gint>(settings.mark));
      return true;
    case kSloMarkClock:
      g_value_set_enum(value, static_cast<gint>(settings.mark_clock));
      return true;
    case kSloTargetLatency:
      g_value_set_uint64(value, settings.targets.latency);
      return true;
    case kSloTargetFps:
      gst_value_set_fraction(value, settings.targets.fps_n, settings.targets.fps_d);
      return true;
    case kSloWindow:
      g_value_set_uint64(value, settings.window);
      return true;
    case kSloInterval:
      g_value_set_uint64(value, settings.interval);
      return true;
    case kSloLogFile:
      g_value_set_string(value, string_or_null(settings.log_file));
      return true;
    case kSloMetricsFile:
      g_value_set_string(value, string_or_null(settings.metrics_file));
      return true;
    default:
      return false;
  }
}

}  // namespace sdv2
