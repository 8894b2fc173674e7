// SPDX-License-Identifier: LGPL-2.1-or-later
// Turns what is seen of each frame into service-level numbers: latency, rate, gaps, drift, misses, freezes,
// losses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "slo/quantile_histogram.h"
#include "slo/slo_report.h"
#include "slo/trend_line.h"

namespace sdv2 {

// One frame as a meter sees it. Times in nanoseconds.
struct FrameSample {
  int64_t now = 0;  // on the clock; never goes back between interruptions
  std::optional<int64_t>
      latency;                 // now minus the time at which the frame was due at its source; negative: early
  std::optional<int64_t> due;  // the frame's running time, for the jitter
  bool mark_expected = false;  // a mark was looked for
  std::optional<int64_t> mark_latency;   // age of the mark in the picture
  std::optional<uint64_t> sequence;      // number of the frame at its source
  uint64_t sequence_modulus = 0;         // where the numbers wrap; 0: at 2^64
  std::optional<uint64_t> picture_hash;  // equal for equal pictures
};

// Memory is fixed and about 400 kB; nothing is allocated by add(). Not thread-safe.
class SloMeter {
 public:
  // Length of the sliding window in ns, at least 10. It slides by tenths.
  explicit SloMeter(int64_t window) : slice_length_(window / kSlices) {}

  // What is promised; 0 turns a promise off. latency: ns, compared with the mark's latency when there is one,
  // else with the latency on the clock. rate: frames per second.
  void set_targets(int64_t latency, double rate) {
    target_latency_ = latency;
    target_rate_ = rate;
  }

  // How long the first frame took, ns.
  void set_first_frame_time(int64_t time) { first_frame_time_ = time; }

  void add(const FrameSample& sample);

  // Counts a frame that came while no time was running (preroll).
  void add_untimed() { ++counters_.frames; }

  // The next frame does not follow the last one (pause, flush, new stream): no gap, jitter, freeze or loss is
  // counted between them.
  void interrupt() { last_.reset(); }

  // now: on the same clock as the samples.
  SloReport report(int64_t now) const;

 private:
  static constexpr int kSlices = 10;

  struct Slice {
    int64_t number = -1;  // time / slice_length_
    uint64_t frames = 0;
    QuantileHistogram latency;
    QuantileHistogram mark_latency;
    QuantileHistogram gap;
  };
  struct Last {
    FrameSample sample;
    int64_t picture_since = 0;  // when this picture was first seen
    uint64_t unnumbered = 0;    // frames without a number since the last one with a number
  };

  Slice& slice_at(int64_t now);
  void add_to_trend(TrendLine& trend, const Slice& slice) const;
  void add_latency(Slice& slice, const FrameSample& sample);
  void add_step(Slice& slice, const FrameSample& sample);
  void count_losses(const FrameSample& sample);

  int64_t slice_length_;
  int64_t target_latency_ = 0;
  double target_rate_ = 0;
  int64_t first_frame_time_ = 0;
  int64_t begin_ = 0;  // time of the first timed frame
  int64_t end_ = 0;    // time of the last frame
  double jitter_ = 0;
  std::optional<Last> last_;
  Slice total_;
  // The trend goes through the medians of finished slices, so that single frames (the first one, a hiccup) do
  // not bend it.
  TrendLine trend_;
  std::array<Slice, kSlices> slices_;
  int64_t newest_slice_ = -1;
  SloReport counters_;  // only its counters and longest_freeze are kept up to date
};

}  // namespace sdv2
