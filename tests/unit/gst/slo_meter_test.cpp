// SPDX-License-Identifier: LGPL-2.1-or-later
// The SLO meter's arithmetic: quantiles, windows, trend, misses, freezes, losses; and that it allocates
// nothing per frame.
#include "slo/slo_meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <random>
#include <vector>

namespace {
thread_local size_t allocations = 0;
}  // namespace

// Counts every allocation of this program.
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace sdv2 {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;

TEST(QuantileHistogram, IsEmptyAtFirst) {
  const Quantiles q = QuantileHistogram().quantiles();
  EXPECT_EQ(q.count, 0u);
  EXPECT_EQ(q.max, 0);
}

TEST(QuantileHistogram, OneValueIsEveryQuantile) {
  QuantileHistogram histogram;
  histogram.add(123'456'789);
  const Quantiles q = histogram.quantiles();
  EXPECT_EQ(q.min, 123'456'789);
  EXPECT_EQ(q.p50, 123'456'789);
  EXPECT_EQ(q.p99, 123'456'789);
  EXPECT_EQ(q.max, 123'456'789);
  EXPECT_EQ(q.mean, 123'456'789);
}

TEST(QuantileHistogram, QuantilesAreWithinTheStatedError) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> distribution(std::log(30e6), 2.0);
  QuantileHistogram histogram;
  std::vector<int64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(std::min<int64_t>(static_cast<int64_t>(distribution(random)), 4'000 * kSecond));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  const Quantiles q = histogram.quantiles();
  const auto near = [&](int64_t measured, double quantile) {
    const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(values.size()))) - 1;
    EXPECT_NEAR(static_cast<double>(measured), static_cast<double>(values[rank]),
                0.004 * static_cast<double>(values[rank]) + 512);
  };
  near(q.p50, 0.50);
  near(q.p90, 0.90);
  near(q.p95, 0.95);
  near(q.p99, 0.99);
  EXPECT_EQ(q.min, values.front());
  EXPECT_EQ(q.max, values.back());
}

TEST(QuantileHistogram, EveryMagnitudeLandsInItsBucket) {
  for (int64_t value = 2048; value < 4'000 * kSecond; value = value * 21 / 20) {
    QuantileHistogram histogram;
    histogram.add(value - 1000);
    histogram.add(value);
    histogram.add(value + 1000);
    EXPECT_NEAR(static_cast<double>(histogram.quantiles().p50), static_cast<double>(value),
                0.004 * static_cast<double>(value) + 1024);
  }
}

TEST(QuantileHistogram, ExtremesDoNotBreakIt) {
  QuantileHistogram histogram;
  histogram.add(-5 * kSecond);
  histogram.add(INT64_MAX / 4);
  const Quantiles q = histogram.quantiles();
  EXPECT_EQ(q.min, -5 * kSecond);
  EXPECT_EQ(q.max, INT64_MAX / 4);
  EXPECT_LE(q.p50, 1024);
}

TEST(QuantileHistogram, MergesLikeOne) {
  QuantileHistogram one;
  QuantileHistogram two;
  QuantileHistogram both;
  for (int i = 1; i <= 100; ++i) {
    (i % 3 == 0 ? one : two).add(i * kMs);
    both.add(i * kMs);
  }
  one.merge(two);
  one.merge(QuantileHistogram());
  EXPECT_EQ(one.quantiles().p90, both.quantiles().p90);
  EXPECT_EQ(one.quantiles().min, kMs);
  EXPECT_EQ(one.quantiles().count, 100u);
  EXPECT_EQ(one.quantiles().mean, both.quantiles().mean);
}

FrameSample frame(int64_t now, int64_t latency) {
  return {.now = now, .latency = latency, .due = now - latency};
}

TEST(SloMeter, CountsLatencyRateAndGaps) {
  SloMeter meter(10 * kSecond);
  meter.set_first_frame_time(70 * kMs);
  for (int i = 0; i < 101; ++i) meter.add(frame(kSecond + i * 50 * kMs, (100 + i) * kMs));
  const SloReport report = meter.report(6 * kSecond);
  EXPECT_EQ(report.frames, 101u);
  EXPECT_EQ(report.run_time, 5 * kSecond);
  EXPECT_EQ(report.first_frame_time, 70 * kMs);
  EXPECT_DOUBLE_EQ(report.rate, 20);
  EXPECT_DOUBLE_EQ(report.window_rate, 20);
  EXPECT_NEAR(static_cast<double>(report.latency.p50), 150e6, 1e6);
  EXPECT_EQ(report.latency.max, 200 * kMs);
  EXPECT_EQ(report.gap.count, 100u);
  EXPECT_EQ(report.gap.max, 50 * kMs);
  // Latency grows by 1 ms each 50 ms: 1.2 s per minute, and its change smooths to 1 ms.
  EXPECT_NEAR(report.latency_slope, 1200, 10);
  EXPECT_NEAR(static_cast<double>(report.jitter), 1e6, 0.01e6);
}

TEST(SloMeter, NothingIsKnownWithoutFrames) {
  const SloReport report = SloMeter(kSecond).report(100 * kSecond);
  EXPECT_EQ(report.frames, 0u);
  EXPECT_EQ(report.latency.count, 0u);
  EXPECT_EQ(report.rate, 0);
}

TEST(SloMeter, TheWindowForgets) {
  SloMeter meter(kSecond);
  for (int i = 0; i < 100; ++i) meter.add(frame(i * 10 * kMs, 500 * kMs));
  for (int i = 100; i < 300; ++i) meter.add(frame(i * 10 * kMs, 20 * kMs));
  const SloReport report = meter.report(299 * 10 * kMs);
  EXPECT_EQ(report.latency.max, 500 * kMs);
  EXPECT_EQ(report.window_latency.max, 20 * kMs);
  EXPECT_LE(report.window_latency.count, 100u);
  EXPECT_GE(report.window_latency.count, 90u);
  EXPECT_NEAR(report.window_rate, 100, 1.5);
  EXPECT_EQ(meter.report(10 * kSecond).window_latency.count, 0u);
  EXPECT_EQ(meter.report(10 * kSecond).window_rate, 0);
}

TEST(SloMeter, OneSlowStartDoesNotBendTheTrend) {
  SloMeter meter(10 * kSecond);
  for (int i = 0; i < 200; ++i) meter.add(frame(i * 50 * kMs, i < 8 ? 2 * kSecond : 30 * kMs));
  EXPECT_NEAR(meter.report(10 * kSecond).latency_slope, 0, 0.5);
}

TEST(SloMeter, JudgesAgainstTargets) {
  SloMeter meter(kSecond);
  meter.set_targets(100 * kMs, 20);
  meter.add(frame(1 * kSecond, 100 * kMs));
  meter.add(frame(1050 * kMs, 101 * kMs));
  meter.add(frame(1110 * kMs, 50 * kMs));  // 60 ms: late for its slot, but in it
  meter.add(frame(1260 * kMs, 50 * kMs));  // 150 ms: two slots stayed empty
  const SloReport report = meter.report(2 * kSecond);
  EXPECT_EQ(report.late_frames, 1u);
  EXPECT_EQ(report.rate_misses, 2u);
}

TEST(SloMeter, TheMarkOutranksTheClock) {
  SloMeter meter(kSecond);
  meter.set_targets(100 * kMs, 0);
  FrameSample sample = frame(kSecond, 500 * kMs);
  sample.mark_expected = true;
  sample.mark_latency = 80 * kMs;
  meter.add(sample);
  sample.mark_latency.reset();
  sample.now += 50 * kMs;
  meter.add(sample);
  const SloReport report = meter.report(2 * kSecond);
  EXPECT_EQ(report.late_frames, 1u);
  EXPECT_EQ(report.mark_latency.count, 1u);
  EXPECT_EQ(report.mark_latency.max, 80 * kMs);
  EXPECT_EQ(report.marks_missing, 1u);
}

TEST(SloMeter, EarlyFramesCount) {
  SloMeter meter(kSecond);
  meter.add(frame(kSecond, -200 * kMs));
  const SloReport report = meter.report(kSecond);
  EXPECT_EQ(report.early_frames, 1u);
  EXPECT_EQ(report.latency.min, -200 * kMs);
}

TEST(SloMeter, FindsTheLongestFreeze) {
  SloMeter meter(kSecond);
  const uint64_t pictures[] = {1, 2, 2, 2, 3, 3, 2};
  for (int i = 0; i < 7; ++i) meter.add({.now = i * 100 * kMs, .picture_hash = pictures[i]});
  const SloReport report = meter.report(kSecond);
  EXPECT_EQ(report.frozen_frames, 3u);
  EXPECT_EQ(report.longest_freeze, 200 * kMs);
}

TEST(SloMeter, CountsLossesBySequence) {
  SloMeter meter(kSecond);
  for (const uint64_t number : {10, 11, 11, 14, 3, 4}) meter.add({.now = 0, .sequence = number});
  EXPECT_EQ(meter.report(0).dropped_frames, 2u);  // 12 and 13; the step back is a new start
}

TEST(SloMeter, SequencesWrapAndSkipFramesWithoutNumber) {
  SloMeter meter(kSecond);
  meter.add({.now = 0, .sequence = 65534, .sequence_modulus = 65536});
  meter.add({.now = 1});
  meter.add({.now = 2, .sequence = 1, .sequence_modulus = 65536});
  EXPECT_EQ(meter.report(3).dropped_frames, 1u);  // two numbers are missing, and one frame had none
  meter.add({.now = 4, .sequence = 3, .sequence_modulus = 65536});
  EXPECT_EQ(meter.report(5).dropped_frames, 2u);
}

TEST(SloMeter, AnInterruptionIsNoGap) {
  SloMeter meter(kSecond);
  meter.add({.now = 0, .sequence = 1, .picture_hash = 5});
  meter.interrupt();
  meter.add({.now = 60 * kSecond, .sequence = 100, .picture_hash = 5});
  const SloReport report = meter.report(60 * kSecond);
  EXPECT_EQ(report.gap.count, 0u);
  EXPECT_EQ(report.dropped_frames, 0u);
  EXPECT_EQ(report.longest_freeze, 0);
}

TEST(SloMeter, UntimedFramesAreCountedOnly) {
  SloMeter meter(kSecond);
  meter.add_untimed();
  meter.add(frame(kSecond, kMs));
  meter.add(frame(2 * kSecond, kMs));
  const SloReport report = meter.report(2 * kSecond);
  EXPECT_EQ(report.frames, 3u);
  EXPECT_EQ(report.gap.count, 1u);
  EXPECT_DOUBLE_EQ(report.rate, 1);
}

TEST(SloMeter, AllocatesNothingPerFrame) {
  SloMeter meter(kSecond);
  const size_t before = allocations;
  for (int i = 0; i < 10'000; ++i) {
    meter.add({.now = i * 16 * kMs,
               .latency = i * 1000,
               .due = i * 16 * kMs,
               .mark_latency = i,
               .sequence = static_cast<uint64_t>(i),
               .picture_hash = static_cast<uint64_t>(i / 3)});
  }
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace sdv2
