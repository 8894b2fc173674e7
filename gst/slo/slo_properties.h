// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of sdv2slo: their values, their GObject declarations with documentation, and the way between
// the two.
#pragma once

#include <gst/gst.h>

#include <string>

#include "slo/slo_filter.h"

namespace sdv2 {

// What the application has set. slo_properties.cpp documents each.
struct SloSettings {
  MarkMode mark = MarkMode::kNone;
  MarkClock mark_clock = MarkClock::kPipeline;
  SloTargets targets;
  GstClockTime window = 10 * GST_SECOND;
  GstClockTime interval = GST_SECOND;
  std::string log_file;      // empty: none
  std::string metrics_file;  // empty: none
};

// Numbers of the GObject properties.
enum SloProperty : guint {
  kSloMark = 1,
  kSloMarkClock,
  kSloTargetLatency,
  kSloTargetFps,
  kSloWindow,
  kSloInterval,
  kSloLogFile,
  kSloMetricsFile,
  kSloStats,
};

GType slo_mark_type();
GType slo_mark_clock_type();

// Declares all properties. For class_init.
void install_slo_properties(GObjectClass* object_class);

// Copies a property from or to a GValue; false for a number that is no settable property.
bool set_slo_property(SloSettings& settings, guint id, const GValue* value);
bool get_slo_property(const SloSettings& settings, guint id, GValue* value);

}  // namespace sdv2
