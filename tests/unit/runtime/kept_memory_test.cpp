// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/kept_memory.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace sdv2 {
namespace {

constexpr int64_t kMebi = 1 << 20;

at::Tensor bytes(int64_t count) { return at::empty({count}, at::kByte); }

const void* place_of(int64_t count) { return bytes(count).const_data_ptr(); }

TEST(KeepTensorMemory, GivesTheNextTensorOfTheSizeTheSameMemory) {
  const KeepTensorMemory keep;
  const void* const place = place_of(kMebi);
  EXPECT_EQ(kept_tensor_memory(), kMebi);
  EXPECT_NE(place_of(2 * kMebi), place);
  EXPECT_EQ(place_of(kMebi), place);
  const at::Tensor first = bytes(kMebi), second = bytes(kMebi);
  EXPECT_EQ(first.const_data_ptr(), place);
  EXPECT_NE(second.const_data_ptr(), place);
}

TEST(KeepTensorMemory, KeepsNothingOfOtherThreadsAndNothingSmall) {
  const KeepTensorMemory keep;
  std::thread([] { place_of(kMebi); }).join();
  place_of(1024);
  EXPECT_EQ(kept_tensor_memory(), 0u);
}

TEST(KeepTensorMemory, TakesBackWhatAnotherThreadDrops) {
  const KeepTensorMemory keep;
  at::Tensor tensor = bytes(kMebi);
  const void* const place = tensor.const_data_ptr();
  std::thread([&] { tensor.reset(); }).join();
  EXPECT_EQ(place_of(kMebi), place);
}

TEST(KeepTensorMemory, TensorsOutliveIt) {
  at::Tensor tensor;
  {
    const KeepTensorMemory keep;
    tensor = at::full({kMebi}, 7, at::kByte);
    place_of(3 * kMebi);
  }
  EXPECT_EQ(kept_tensor_memory(), 0u);
  EXPECT_TRUE((tensor == 7).all().item<bool>());
  tensor.reset();
  EXPECT_EQ(kept_tensor_memory(), 0u);
}

TEST(KeepTensorMemory, HasALimit) {
  const KeepTensorMemory keep;
  for (int64_t mebis = 60; mebis < 66; ++mebis) place_of(mebis * kMebi);
  EXPECT_EQ(kept_tensor_memory(), (62 + 63 + 64 + 65) * kMebi);  // with 61 it is above 256
  place_of(300 * kMebi);
  EXPECT_EQ(kept_tensor_memory(), 0u);
}

// Its scratch memory lives across calls.
TEST(KeepTensorMemory, HoldsForOneDnn) {
  const at::Tensor x = at::ones({4, 16, 64, 64}), weight = at::ones({32, 16, 3, 3});
  const at::Tensor before = at::conv2d(x, weight, {}, 1, 1);
  std::optional<KeepTensorMemory> keep(std::in_place);
  EXPECT_TRUE(at::equal(at::conv2d(x, weight, {}, 1, 1), before));
  EXPECT_TRUE(at::equal(at::conv2d(x, weight, {}, 1, 1), before));
  keep.reset();
  EXPECT_TRUE(at::equal(at::conv2d(x, weight, {}, 1, 1), before));
}

}  // namespace
}  // namespace sdv2
