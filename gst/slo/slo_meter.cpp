// SPDX-License-Identifier: LGPL-2.1-or-later
// The arithmetic of the SLO meter.
#include "slo/slo_meter.h"

#include <algorithm>
#include <cmath>

namespace sdv2 {
namespace {

constexpr double kSecond = 1e9;
constexpr double kMinute = 60e9;
constexpr double kMillisecond = 1e6;

}  // namespace

SloMeter::Slice& SloMeter::slice_at(int64_t now) {
  const int64_t number = std::max<int64_t>(0, now) / slice_length_;
  Slice& slice = slices_[static_cast<size_t>(number % kSlices)];
  if (slice.number != number) {
    if (newest_slice_ >= 0) add_to_trend(trend_, slices_[static_cast<size_t>(newest_slice_ % kSlices)]);
    newest_slice_ = number;
    slice = {};
    slice.number = number;
  }
  return slice;
}

void SloMeter::add_to_trend(TrendLine& trend, const Slice& slice) const {
  if (slice.latency.count() == 0) return;
  const double minutes =
      (static_cast<double>(slice.number) + 0.5) * static_cast<double>(slice_length_) / kMinute;
  trend.add(minutes, static_cast<double>(slice.latency.quantiles().p50) / kMillisecond);
}

void SloMeter::add(const FrameSample& sample) {
  if (total_.frames == 0) begin_ = sample.now;
  end_ = sample.now;
  ++counters_.frames;
  ++total_.frames;
  Slice& slice = slice_at(sample.now);
  ++slice.frames;
  add_latency(slice, sample);
  if (last_) add_step(slice, sample);
  const bool same_picture = last_ && sample.picture_hash && sample.picture_hash == last_->sample.picture_hash;
  const int64_t picture_since = same_picture ? last_->picture_since : sample.now;
  counters_.frozen_frames += same_picture ? 1 : 0;
  counters_.longest_freeze = std::max(counters_.longest_freeze, sample.now - picture_since);
  // A frame without a number does not end the sequence: it stands for one of the numbers that are missing.
  const auto known = last_ ? last_->sample.sequence : std::nullopt;
  const uint64_t unnumbered = last_ && !sample.sequence ? last_->unnumbered + 1 : 0;
  last_ = {.sample = sample, .picture_since = picture_since, .unnumbered = unnumbered};
  if (!sample.sequence) last_->sample.sequence = known;
}

void SloMeter::add_latency(Slice& slice, const FrameSample& sample) {
  if (sample.latency) {
    total_.latency.add(*sample.latency);
    slice.latency.add(*sample.latency);
    counters_.early_frames += *sample.latency < 0 ? 1 : 0;
  }
  if (sample.mark_latency) {
    total_.mark_latency.add(*sample.mark_latency);
    slice.mark_latency.add(*sample.mark_latency);
  } else if (sample.mark_expected) {
    ++counters_.marks_missing;
  }
  const auto promised = sample.mark_latency ? sample.mark_latency : sample.latency;
  if (target_latency_ > 0 && promised && *promised > target_latency_) ++counters_.late_frames;
}

void SloMeter::add_step(Slice& slice, const FrameSample& sample) {
  const FrameSample& before = last_->sample;
  const int64_t gap = sample.now - before.now;
  total_.gap.add(gap);
  slice.gap.add(gap);
  if (target_rate_ > 0) {
    const double due = std::round(static_cast<double>(gap) * target_rate_ / kSecond);
    counters_.rate_misses += due > 1 ? static_cast<uint64_t>(due) - 1 : 0;
  }
  if (sample.due && before.due) {
    const double change = static_cast<double>(gap - (*sample.due - *before.due));
    jitter_ += (std::abs(change) - jitter_) / 16;
  }
  if (sample.sequence && before.sequence) count_losses(sample);
}

// Numbers that step back are a source that began anew, not a loss of almost all numbers.
void SloMeter::count_losses(const FrameSample& sample) {
  uint64_t step = *sample.sequence - *last_->sample.sequence;
  uint64_t half = uint64_t{1} << 63;
  if (sample.sequence_modulus > 0) {
    step = (*sample.sequence + sample.sequence_modulus - *last_->sample.sequence) % sample.sequence_modulus;
    half = sample.sequence_modulus / 2;
  }
  if (step < half && step > 1 + last_->unnumbered) counters_.dropped_frames += step - 1 - last_->unnumbered;
}

SloReport SloMeter::report(int64_t now) const {
  SloReport report = counters_;
  report.first_frame_time = first_frame_time_;
  if (total_.frames == 0) return report;
  report.run_time = end_ - begin_;
  if (report.run_time > 0)
    report.rate = static_cast<double>(total_.frames - 1) * kSecond / static_cast<double>(report.run_time);
  report.latency = total_.latency.quantiles();
  report.latency_slope = trend_.slope();
  report.jitter = static_cast<int64_t>(jitter_);
  report.mark_latency = total_.mark_latency.quantiles();
  report.gap = total_.gap.quantiles();

  const int64_t newest = std::max<int64_t>(0, now) / slice_length_;
  Slice window;
  TrendLine window_trend;
  for (const Slice& slice : slices_) {
    if (slice.number < 0 || slice.number <= newest - kSlices || slice.number > newest) continue;
    window.frames += slice.frames;
    window.latency.merge(slice.latency);
    window.mark_latency.merge(slice.mark_latency);
    window.gap.merge(slice.gap);
    if (slice.number < newest) add_to_trend(window_trend, slice);
  }
  report.window_latency = window.latency.quantiles();
  report.window_latency_slope = window_trend.slope();
  report.window_mark_latency = window.mark_latency.quantiles();
  report.window_gap = window.gap.quantiles();
  const int64_t window_begin = (newest - kSlices + 1) * slice_length_;
  // The first frame of the run ends no gap: it begins the time that is measured.
  const uint64_t gaps = window.frames - (begin_ >= window_begin && window.frames > 0 ? 1 : 0);
  const int64_t span = now - std::max(window_begin, begin_);
  if (span > 0) report.window_rate = static_cast<double>(gaps) * kSecond / static_cast<double>(span);
  return report;
}

}  // namespace sdv2
