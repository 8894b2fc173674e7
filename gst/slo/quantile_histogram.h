// SPDX-License-Identifier: LGPL-2.1-or-later
// Quantiles of durations in fixed memory: a histogram with buckets of constant relative width.
#pragma once

#include <array>
#include <cstdint>

namespace sdv2 {

// What a histogram says about the values it has seen; all durations in nanoseconds. Everything is 0 while
// count is 0.
struct Quantiles {
  uint64_t count = 0;
  int64_t min = 0;  // exact
  int64_t max = 0;  // exact
  double mean = 0;  // exact up to rounding
  int64_t p50 = 0;  // the median
  int64_t p90 = 0;
  int64_t p95 = 0;
  int64_t p99 = 0;
};

// The bucket layout is HdrHistogram's (G. Tene): each power of two is cut into 128 equal buckets, so that a
// quantile is within 0.4 % (or 0.5 microseconds) of the true one. Values from 0 to 73 minutes are told apart;
// below, they count as 0, above, as the longest; min, max and mean stay exact. Nothing is allocated after
// construction. Not thread-safe.
class QuantileHistogram {
 public:
  void add(int64_t value);

  // Adds everything that `other` has seen.
  void merge(const QuantileHistogram& other);

  void clear() { *this = {}; }

  // Nearest-rank quantiles.
  Quantiles quantiles() const;

  uint64_t count() const { return count_; }

 private:
  static constexpr int kUnitBits = 10;  // the finest bucket is 1.024 microseconds wide
  static constexpr int kHalfBits = 7;   // 128 buckets per power of two
  static constexpr int kRangeBits = 32;
  static constexpr uint32_t kHalf = 1u << kHalfBits;
  static constexpr uint32_t kBuckets = (kRangeBits - kHalfBits + 1) * kHalf;

  static uint32_t bucket_of(int64_t value);
  static int64_t middle_of(uint32_t bucket);
  int64_t at_rank(uint64_t rank) const;

  std::array<uint32_t, kBuckets> counts_{};  // of each bucket; stops at 2^32 - 1
  uint64_t count_ = 0;
  int64_t min_ = 0;
  int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace sdv2
