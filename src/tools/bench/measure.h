// SPDX-License-Identifier: LGPL-2.1-or-later
// Figures of a run: times, checksum of pixels, difference of pixels, memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sdv2::bench {

// CLOCK_MONOTONIC, as in the C ABI.
int64_t now_ns();

struct Percentiles {
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  int64_t count = 0;
};

// Times in nanoseconds, by nearest rank; zeros without any.
Percentiles percentiles(std::vector<int64_t> times);

// 64-bit hash of a sequence of bytes, eight at a time (FNV-1a over words with a final mix); how the sequence
// is cut into calls matters, so give it one frame per call.
class Checksum {
 public:
  void add(std::span<const uint8_t> bytes);
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325ULL;
};

// How far bytes are from those expected.
class Difference {
 public:
  void add(std::span<const uint8_t> bytes, std::span<const uint8_t> expected);
  int largest() const { return largest_; }
  // Over everything added, in dB; infinite when all is equal.
  double psnr() const;

 private:
  uint64_t squares_ = 0;
  uint64_t count_ = 0;
  int largest_ = 0;
};

// The most memory that this process has had (VmHWM); 0 when the system does not tell.
int64_t peak_host_bytes();

}  // namespace sdv2::bench
