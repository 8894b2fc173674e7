// SPDX-License-Identifier: LGPL-2.1-or-later
// A stream over many refreshes of its positions: memory does not grow, and a static scene stays what it is.
// SDV2_LONG_CHUNKS sets how long it is; the nightly suite takes 2,000 chunks.
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

// Bytes of host tensors that were made while the counting allocator was in place, and are alive.
std::atomic<int64_t> live_bytes = 0;

// Plain memory with its size in front, so that it also serves those who want to free a bare pointer.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::kCPU};
    auto* const block = static_cast<std::byte*>(std::aligned_alloc(kHeader, kHeader + round_up(bytes)));
    if (block == nullptr) throw std::bad_alloc();
    std::memcpy(block, &bytes, sizeof bytes);
    live_bytes += static_cast<int64_t>(bytes);
    return {block + kHeader, block + kHeader, &release, c10::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  static constexpr size_t kHeader = 64;  // bytes; also the alignment
  static size_t round_up(size_t bytes) { return (bytes + kHeader - 1) / kHeader * kHeader; }
  static void release(void* data) {
    if (data == nullptr) return;
    auto* const block = static_cast<std::byte*>(data) - kHeader;
    size_t bytes = 0;
    std::memcpy(&bytes, block, sizeof bytes);
    live_bytes -= static_cast<int64_t>(bytes);
    std::free(block);
  }
};

// In place from construction to destruction. The allocator has no end: tensors that are made meanwhile may
// live on.
class CountAllocations {
 public:
  CountAllocations() : before_(c10::GetCPUAllocator()) {
    static auto* const counting = new CountingAllocator();
    c10::SetCPUAllocator(counting, kPriority);
  }
  ~CountAllocations() { c10::SetCPUAllocator(before_, kPriority); }
  CountAllocations(const CountAllocations&) = delete;
  CountAllocations& operator=(const CountAllocations&) = delete;

 private:
  static constexpr uint8_t kPriority = 100;
  c10::Allocator* before_;
};

struct Look {
  double mean = 0;
  double deviation = 0;
};

Look look_of(const std::vector<uint8_t>& pixels) {
  double sum = 0, squares = 0;
  for (const uint8_t value : pixels) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(pixels.size());
  return {sum / count, std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)))};
}

TEST(SessionLong, MemoryAndPicturesStayFlatOverRefreshes) {
  const char* wanted = std::getenv("SDV2_LONG_CHUNKS");
  const int chunks = wanted == nullptr ? 300 : std::atoi(wanted);
  constexpr int kWindow = 45;  // chunks from one refresh to the next
  ASSERT_GE(chunks, 4 * kWindow);

  const CountAllocations allocations;
  test::TestSession session(test::load_anew(), "{\"adaptive_sink\": 0.2}", 16);
  std::vector<Look> windows;
  int64_t memory = 0;
  Look sum;
  for (int i = 0; i < chunks; ++i) {
    const Look look = look_of(session.take(session.submit_chunk(/*still=*/true)));
    ASSERT_FALSE(HasFailure()) << "chunk " << i;
    if (i < kWindow) continue;  // the ring fills, the first refresh comes
    sum.mean += look.mean / kWindow;
    sum.deviation += look.deviation / kWindow;
    if ((i + 1) % kWindow != 0) continue;
    windows.push_back(std::exchange(sum, {}));
    // Chunks are finished in the order of submission: what the one before needed is free.
    ASSERT_TRUE(session->drain(60000).ok());
    if (memory == 0) memory = live_bytes;
    EXPECT_EQ(live_bytes.load(), memory) << "after chunk " << i;
  }
  for (const Look& window : windows) {
    EXPECT_NEAR(window.mean, windows.front().mean, 1.5);
    EXPECT_NEAR(window.deviation, windows.front().deviation, 1.5);
  }
  RecordProperty("refreshes", (chunks - 48) / kWindow);
}

}  // namespace
}  // namespace sdv2
