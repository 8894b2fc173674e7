// SPDX-License-Identifier: LGPL-2.1-or-later
// A stream over many refreshes of its positions: memory does not grow, and a static scene stays what it is.
// SDV2_LONG_CHUNKS sets how long it is; the nightly suite takes 2,000 chunks.
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>

#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

// Counts the bytes of host tensors that are alive.
class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* base) : base_(base) {}

  c10::DataPtr allocate(size_t bytes) override {
    live_ += static_cast<int64_t>(bytes);
    auto* const block = new Block{base_->allocate(bytes), static_cast<int64_t>(bytes), this};
    return {block->data.get(), block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  int64_t live() const { return live_; }

 private:
  struct Block {
    c10::DataPtr data;
    int64_t bytes;
    CountingAllocator* owner;
  };
  static void release(void* context) {
    auto* const block = static_cast<Block*>(context);
    block->owner->live_ -= block->bytes;
    delete block;
  }

  c10::Allocator* base_;
  std::atomic<int64_t> live_ = 0;
};

// In place from construction to destruction. Never freed: tensors that are made meanwhile may live on.
class CountAllocations {
 public:
  CountAllocations() : before_(c10::GetCPUAllocator()), counting_(new CountingAllocator(before_)) {
    c10::SetCPUAllocator(counting_, kPriority);
  }
  ~CountAllocations() { c10::SetCPUAllocator(before_, kPriority); }
  int64_t live() const { return counting_->live(); }

 private:
  static constexpr uint8_t kPriority = 100;
  c10::Allocator* before_;
  CountingAllocator* counting_;
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
    if (i < kWindow) continue;  // the ring fills, the first refresh comes
    sum.mean += look.mean / kWindow;
    sum.deviation += look.deviation / kWindow;
    if ((i + 1) % kWindow != 0) continue;
    windows.push_back(std::exchange(sum, {}));
    // Chunks are finished in the order of submission: what the one before needed is free.
    ASSERT_TRUE(session->drain(60000).ok());
    if (memory == 0) memory = allocations.live();
    EXPECT_EQ(allocations.live(), memory) << "after chunk " << i;
  }
  for (const Look& window : windows) {
    EXPECT_NEAR(window.mean, windows.front().mean, 1.5);
    EXPECT_NEAR(window.deviation, windows.front().deviation, 1.5);
  }
  RecordProperty("refreshes", (chunks - 48) / kWindow);
}

}  // namespace
}  // namespace sdv2
