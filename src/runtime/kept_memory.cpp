// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/kept_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace sdv2 {
namespace {

// The C library keeps smaller blocks itself.
constexpr size_t kLarge = 64 << 10;
// More than all that a chunk of four pictures of 256×256 drops and makes again.
constexpr size_t kMostKept = 256 << 20;

thread_local int keepers_here = 0;

// Never destroyed: tensors may outlive everything else.
class KeepingAllocator final : public c10::Allocator {
 public:
  // LibTorch's CPU allocator from the first call on.
  static KeepingAllocator& instance() {
    static KeepingAllocator* const instance = [] {
      auto* const made = new KeepingAllocator(*c10::GetCPUAllocator());
      c10::SetCPUAllocator(made, /*priority=*/1);
      return made;
    }();
    return *instance;
  }

  c10::DataPtr allocate(size_t bytes) override {
    if (keepers_here == 0 || bytes < kLarge) return usual_.allocate(bytes);
    void* data = take(bytes);
    if (data == nullptr) {
      data = usual_.raw_allocate(bytes);
      const std::lock_guard lock(mutex_);
      lent_.emplace(data, bytes);
    }
    return {data, data, &drop, c10::Device(c10::kCPU)};
  }

  // oneDNN's scratch memory comes and goes by raw pointers.
  c10::DeleterFnPtr raw_deleter() const override { return &drop; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  void open() {
    const std::lock_guard lock(mutex_);
    ++keepers_;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    if (--keepers_ == 0) shrink_to(0);
  }

  size_t kept_bytes() const {
    const std::lock_guard lock(mutex_);
    return kept_bytes_;
  }

 private:
  struct Block {
    void* data;
    size_t bytes;
  };

  explicit KeepingAllocator(c10::Allocator& usual) : usual_(usual) {}

  static void drop(void* data) { instance().keep(data); }

  // A kept block of that size, or null. What was dropped last is the likeliest to be in a core's cache.
  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(kept_.rbegin(), kept_.rend(), [&](const Block& block) { return block.bytes == bytes; });
    if (found == kept_.rend()) return nullptr;
    void* const data = found->data;
    kept_.erase(std::next(found).base());
    kept_bytes_ -= bytes;
    lent_.emplace(data, bytes);
    return data;
  }

  void keep(void* data) {
    const std::lock_guard lock(mutex_);
    const auto block = lent_.find(data);
    if (block == lent_.end()) {
      usual_.raw_deallocate(data);
      return;
    }
    kept_.push_back({data, block->second});
    kept_bytes_ += block->second;
    lent_.erase(block);
    shrink_to(keepers_ > 0 ? kMostKept : 0);
  }

  // Frees the oldest blocks. With the lock.
  void shrink_to(size_t bytes) {
    auto end = kept_.begin();
    for (; kept_bytes_ > bytes; ++end) {
      kept_bytes_ -= end->bytes;
      usual_.raw_deallocate(end->data);
    }
    kept_.erase(kept_.begin(), end);
  }

  c10::Allocator& usual_;
  mutable std::mutex mutex_;
  std::unordered_map<void*, size_t> lent_;  // sizes of the blocks that tensors have
  std::vector<Block> kept_;                 // in the order in which they were dropped
  size_t kept_bytes_ = 0;
  int keepers_ = 0;
};

}  // namespace

KeepTensorMemory::KeepTensorMemory() {
  KeepingAllocator::instance().open();
  ++keepers_here;
}

KeepTensorMemory::~KeepTensorMemory() {
  --keepers_here;
  KeepingAllocator::instance().close();
}

size_t kept_tensor_memory() { return KeepingAllocator::instance().kept_bytes(); }

}  // namespace sdv2
