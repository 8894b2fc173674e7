// SPDX-License-Identifier: LGPL-2.1-or-later
// The streaming side of sdv2slo: looks at each buffer, writes or reads the mark, feeds the meter.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <array>
#include <mutex>
#include <optional>

#include "slo/mark_code.h"
#include "slo/picture.h"
#include "slo/slo_meter.h"

namespace sdv2 {

enum class MarkMode { kNone, kWrite, kRead };
enum class MarkClock { kPipeline, kRealtime };

// Promises that the meter compares with; they may change at any time.
struct SloTargets {
  GstClockTime latency = 0;  // 0: none
  gint fps_n = 0;            // 0: none
  gint fps_d = 1;
};

// The mutex guards the meter and is never held over a call into GStreamer. process() and the functions about
// the stream are called from the streaming thread.
class SloFilter {
 public:
  explicit SloFilter(GstElement* element) : element_(element) {}

  // READY to PAUSED: forgets everything.
  void start(MarkMode mark, MarkClock mark_clock, GstClockTime window);
  // Time runs only in PLAYING. Any thread.
  void set_playing(bool playing);
  // Any thread.
  void set_targets(const SloTargets& targets);

  // A new format. Warns when the mark cannot be carried by it.
  void set_caps(GstCaps* caps);
  // The next buffer does not follow the last one.
  void interrupt();
  // Measures one buffer; with MarkMode::kWrite it must be writable.
  void process(GstBuffer* buffer, const GstSegment& segment);

  // Any thread. Zero before start().
  SloReport report() const;

 private:
  // How the pixels of the present format are reached.
  struct Format {
    GstVideoInfo info;
    bool comparable = false;      // equal pictures can be recognised
    bool can_carry_mark = false;  // components of 8 bits, picture large enough
    int row_step = 1;             // every how many rows are compared
    std::array<size_t, GST_VIDEO_MAX_PLANES> row_bytes{};
    std::array<int, GST_VIDEO_MAX_PLANES> rows{};
    std::array<int, GST_VIDEO_MAX_PLANES> mark_rows{};
  };

  static std::optional<Format> make_format(GstCaps* caps);
  static PictureView view_of(const GstVideoFrame& frame);
  uint64_t hash_of(const GstVideoFrame& frame) const;
  uint64_t mark_now(GstClockTime clock_now) const;
  bool has_mark_time(GstClockTime clock_now) const;
  void look_at_pixels(GstBuffer* buffer, GstClockTime clock_now, FrameSample& sample);
  void write_mark(const GstVideoFrame& frame, GstClockTime clock_now);
  void read_mark(const GstVideoFrame& frame, GstClockTime clock_now, FrameSample& sample);

  GstElement* element_;
  MarkMode mark_ = MarkMode::kNone;
  MarkClock mark_clock_ = MarkClock::kPipeline;
  bool raw_video_ = false;
  std::optional<Format> format_;  // empty: pixels cannot be reached
  uint16_t next_mark_ = 0;
  std::optional<Mark> last_mark_;
  GstClockTime start_time_ = 0;  // monotonic time

  mutable std::mutex mutex_;
  SloTargets targets_;
  bool playing_ = false;
  bool any_frame_ = false;
  std::optional<SloMeter> meter_;
};

}  // namespace sdv2
