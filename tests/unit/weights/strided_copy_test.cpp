// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/strided_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "unit/weights/file_builders.h"

namespace sdv2 {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

// Gathers a view of the numbers 0, 1, 2 … that begin at byte 1 of a file (so that nothing is aligned).
template <class T>
std::vector<T> gather(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> strides, int64_t offset) {
  std::vector<T> numbers(100);
  std::iota(numbers.begin(), numbers.end(), T{0});
  const std::string file = "#" + test::raw(numbers);
  StoredTensor tensor{.key = "x", .dtype = dtype, .shape = std::move(shape), .strides = std::move(strides)};
  tensor.offset = 1 + static_cast<uint64_t>(offset) * sizeof(T);
  tensor.extent = sizeof(T);
  std::vector<T> out(static_cast<size_t>(*element_count(tensor.shape)));
  gather_strided(tensor, test::as_bytes(file), reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

TEST(GatherStrided, Transposes) {
  EXPECT_THAT(gather<float>(DType::kF32, {3, 2}, {1, 3}, 0), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(GatherStrided, SlicesRepeatsAndSteps) {
  EXPECT_THAT(gather<int16_t>(DType::kI16, {2, 3}, {10, 2}, 5), ElementsAre(5, 7, 9, 15, 17, 19));
  EXPECT_THAT(gather<uint8_t>(DType::kU8, {3, 2}, {0, 1}, 7), ElementsAre(7, 8, 7, 8, 7, 8));
  EXPECT_THAT(gather<double>(DType::kF64, {}, {}, 42), ElementsAre(42));
  EXPECT_THAT(gather<double>(DType::kF64, {1, 1, 3}, {9, 9, 30}, 1), ElementsAre(1, 31, 61));
}

TEST(GatherStrided, WalksManyDimensions) {
  // Channels last: [2,3,2,2] of a row-major [2,2,2,3].
  std::vector<int64_t> expected;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t y = 0; y < 2; ++y)
        for (int64_t x = 0; x < 2; ++x) expected.push_back(n * 12 + c + y * 6 + x * 3);
  EXPECT_THAT(gather<int64_t>(DType::kI64, {2, 3, 2, 2}, {12, 1, 6, 3}, 0), ElementsAreArray(expected));
}

TEST(ElementCount, RefusesWhatDoesNotFit) {
  EXPECT_EQ(element_count(std::vector<int64_t>{}), 1);
  EXPECT_EQ(element_count(std::vector<int64_t>{2, 0, 5}), 0);
  EXPECT_EQ(element_count(std::vector<int64_t>{-1}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<int64_t>{int64_t{1} << 60}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<int64_t>{int64_t{1} << 59}), int64_t{1} << 59);
  EXPECT_EQ(element_count(std::vector<int64_t>{int64_t{1} << 32, int64_t{1} << 32}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<int64_t>{0, int64_t{1} << 62}), std::nullopt);
}

}  // namespace
}  // namespace sdv2
