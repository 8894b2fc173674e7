// SPDX-License-Identifier: LGPL-2.1-or-later
// What the meter has measured, as plain data, and the one table of names and meanings from which every output
// is written.
#pragma once

#include <cstdint>
#include <string>

#include "slo/quantile_histogram.h"

namespace sdv2 {

// Durations in nanoseconds, signed: a frame can be early. "Window" is the last seconds, the rest is the whole
// run.
struct SloReport {
  uint64_t frames = 0;
  int64_t run_time = 0;          // from the first frame to the last one
  int64_t first_frame_time = 0;  // from the start of the element to the first frame
  double rate = 0;               // frames per second
  double window_rate = 0;
  Quantiles latency;  // age of a frame on the pipeline clock
  Quantiles window_latency;
  double latency_slope = 0;  // milliseconds per minute
  double window_latency_slope = 0;
  int64_t jitter = 0;  // of the latency, smoothed as in RFC 3550
  Quantiles mark_latency;
  Quantiles window_mark_latency;
  uint64_t marks_missing = 0;
  Quantiles gap;  // between frames
  Quantiles window_gap;
  uint64_t early_frames = 0;
  uint64_t late_frames = 0;
  uint64_t rate_misses = 0;
  uint64_t dropped_frames = 0;
  uint64_t frozen_frames = 0;
  int64_t longest_freeze = 0;
};

// Calls, for each field, out.count(name, value, help) when it only grows, out.level(name, value, help) when
// it is another whole number, out.time(name, nanoseconds, help) or out.real(name, value, help). Times that
// nothing is known about are left out.
template <class Out>
void visit_fields(const SloReport& r, Out& out) {
  const auto quantiles = [&out](const std::string& name, const Quantiles& q, const std::string& what) {
    out.level(name + "-count", q.count, "Frames with a known " + what);
    if (q.count == 0) return;
    out.time(name + "-min", q.min, "Smallest " + what);
    out.time(name + "-mean", static_cast<int64_t>(q.mean), "Mean " + what);
    out.time(name + "-p50", q.p50, "Median " + what);
    out.time(name + "-p90", q.p90, "90 % quantile of the " + what);
    out.time(name + "-p95", q.p95, "95 % quantile of the " + what);
    out.time(name + "-p99", q.p99, "99 % quantile of the " + what);
    out.time(name + "-max", q.max, "Largest " + what);
  };
  out.count("frames", r.frames, "Frames that have passed");
  out.time("run-time", r.run_time, "Time from the first frame to the last one");
  if (r.frames > 0)
    out.time("first-frame-time", r.first_frame_time, "Time from READY to PAUSED to the first frame");
  out.real("rate", r.rate, "Frames per second");
  out.real("window-rate", r.window_rate, "Frames per second in the window");
  quantiles("latency", r.latency, "latency on the pipeline clock");
  quantiles("window-latency", r.window_latency, "latency on the pipeline clock in the window");
  out.real("latency-slope", r.latency_slope, "Growth of the latency in milliseconds per minute");
  out.real("window-latency-slope", r.window_latency_slope,
           "Growth of the latency in the window in milliseconds per minute");
  out.time("jitter", r.jitter, "Smoothed change of the latency between frames (RFC 3550)");
  quantiles("mark-latency", r.mark_latency, "latency by the mark in the picture");
  quantiles("window-mark-latency", r.window_mark_latency, "latency by the mark in the picture in the window");
  out.count("marks-missing", r.marks_missing, "Frames in which no mark could be read");
  quantiles("gap", r.gap, "time between frames");
  quantiles("window-gap", r.window_gap, "time between frames in the window");
  out.count("early-frames", r.early_frames, "Frames that passed before their time");
  out.count("late-frames", r.late_frames, "Frames later than target-latency");
  out.count("rate-misses", r.rate_misses, "Frames that target-fps called for and that did not come in time");
  out.count("dropped-frames", r.dropped_frames, "Frames missing in the sequence of frame numbers");
  out.count("frozen-frames", r.frozen_frames, "Frames identical to the one before");
  out.time("longest-freeze", r.longest_freeze, "Longest time in which the picture did not change");
}

// One line of JSON: an object with "time" (as given, a date), "element", "final" and the fields; times are
// integers in nanoseconds. No line end.
std::string to_json_line(const SloReport& report, const std::string& time, const std::string& element,
                         bool final);

// The report in Prometheus' text format, one gauge or counter per field, named sdv2_slo_..., times in
// seconds.
std::string to_prometheus(const SloReport& report, const std::string& element);

// One or two sentences for a person.
std::string to_summary(const SloReport& report);

}  // namespace sdv2
