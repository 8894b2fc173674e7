// SPDX-License-Identifier: LGPL-2.1-or-later
// The histogram behind the meter's quantiles.
#include "slo/quantile_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sdv2 {
namespace {

void add_saturating(uint32_t& counter, uint32_t more) {
  counter = more > std::numeric_limits<uint32_t>::max() - counter ? std::numeric_limits<uint32_t>::max()
                                                                  : counter + more;
}

}  // namespace

// Units below 2 kHalf have a bucket each. From there on, a value is shifted right until it has kHalfBits + 1
// bits; the shift and the bits that stay name the bucket.
uint32_t QuantileHistogram::bucket_of(int64_t value) {
  constexpr uint64_t kLargest = (uint64_t{1} << kRangeBits) - 1;
  const uint64_t unit = std::min(static_cast<uint64_t>(std::max<int64_t>(value, 0)) >> kUnitBits, kLargest);
  const int shift = std::max(0, static_cast<int>(std::bit_width(unit)) - (kHalfBits + 1));
  return static_cast<uint32_t>(shift) * kHalf + static_cast<uint32_t>(unit >> shift);
}

int64_t QuantileHistogram::middle_of(uint32_t bucket) {
  const uint32_t shift = bucket < 2 * kHalf ? 0 : bucket / kHalf - 1;
  const int64_t unit = static_cast<int64_t>(bucket - shift * kHalf) << shift;
  const int64_t width = int64_t{1} << (shift + kUnitBits);
  return (unit << kUnitBits) + width / 2;
}

void QuantileHistogram::add(int64_t value) {
  add_saturating(counts_[bucket_of(value)], 1);
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  sum_ += static_cast<double>(value);
  ++count_;
}

void QuantileHistogram::merge(const QuantileHistogram& other) {
  if (other.count_ == 0) return;
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket)
    add_saturating(counts_[bucket], other.counts_[bucket]);
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

int64_t QuantileHistogram::at_rank(uint64_t rank) const {
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return std::clamp(middle_of(bucket), min_, max_);
  }
  return max_;
}

Quantiles QuantileHistogram::quantiles() const {
  if (count_ == 0) return {};
  const auto quantile = [this](double q) {
    return at_rank(std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_)))));
  };
  return {.count = count_,
          .min = min_,
          .max = max_,
          .mean = sum_ / static_cast<double>(count_),
          .p50 = quantile(0.50),
          .p90 = quantile(0.90),
          .p95 = quantile(0.95),
          .p99 = quantile(0.99)};
}

}  // namespace sdv2
