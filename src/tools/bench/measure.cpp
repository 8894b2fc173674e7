// SPDX-License-Identifier: LGPL-2.1-or-later
// Figures of a run.
#include "tools/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace sdv2::bench {

int64_t now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Percentiles percentiles(std::vector<int64_t> times) {
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  const auto at = [&](double percent) {
    const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(times.size())));
    return static_cast<double>(times[std::max<size_t>(rank, 1) - 1]) / 1e6;
  };
  return {at(50), at(95), at(99), static_cast<int64_t>(times.size())};
}

void Checksum::add(std::span<const uint8_t> bytes) {
  constexpr uint64_t kPrime = 0x100000001b3ULL;
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t taken = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), taken);
    hash_ = (hash_ ^ word) * kPrime;
    // A product moves bits up only; bring the high ones down.
    hash_ ^= hash_ >> 32;
    bytes = bytes.subspan(taken);
  }
}

void Difference::add(std::span<const uint8_t> bytes, std::span<const uint8_t> expected) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int difference = std::abs(bytes[i] - expected[i]);
    largest_ = std::max(largest_, difference);
    squares_ += static_cast<uint64_t>(difference * difference);
  }
  count_ += bytes.size();
}

double Difference::psnr() const {
  if (squares_ == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(count_) / static_cast<double>(squares_));
}

int64_t peak_host_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return 1024 * std::strtoll(line.c_str() + 6, nullptr, 10);
  return 0;
}

}  // namespace sdv2::bench
