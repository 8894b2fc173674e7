// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/safetensors_writer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "unit/base/temp_dir.h"
#include "weights/tensor_file.h"

namespace sdv2 {
namespace {

using test::TempDir;

bool is_empty(const TempDir& dir) { return std::filesystem::is_empty(dir.path()); }

TEST(SafetensorsWriter, WritesWhatReadsBack) {
  const TempDir dir;
  const auto path = dir.path() / "x.safetensors";
  auto writer = SafetensorsWriter::create(path, {{"b", DType::kBF16, {3}},
                                                 {"a", DType::kF32, {2, 3}},
                                                 {"s", DType::kI64, {}},
                                                 {"e", DType::kF32, {0}}});
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  const at::Tensor a = at::arange(6, at::kFloat).view({3, 2}).t();  // not contiguous
  const at::Tensor b = at::tensor({1.0f, 2.0f, 3.14159f});          // to be converted
  ASSERT_TRUE((*writer)->append(b).ok());
  ASSERT_TRUE((*writer)->append(a).ok());
  EXPECT_FALSE(std::filesystem::exists(path));  // not before it is whole
  EXPECT_FALSE((*writer)->finish().ok());
  ASSERT_TRUE((*writer)->append(at::scalar_tensor(-5, at::kLong)).ok());
  ASSERT_TRUE((*writer)->append(at::empty({0})).ok());
  EXPECT_FALSE((*writer)->append(a).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_FALSE((*writer)->finish().ok());

  const auto source = open_tensor_file(path);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto read = [&](const char* key, const std::vector<int64_t>& shape, at::ScalarType type) {
    return *(*source)->read(key, shape, type, at::kCPU);
  };
  EXPECT_EQ((*source)->tensors()->size(), 4u);
  EXPECT_TRUE(at::equal(read("a", {2, 3}, at::kFloat), a));
  EXPECT_TRUE(at::equal(read("b", {3}, at::kBFloat16), b.to(at::kBFloat16)));
  EXPECT_EQ(read("s", {}, at::kLong).item<int64_t>(), -5);
}

TEST(SafetensorsWriter, RefusesOtherShapes) {
  const TempDir dir;
  auto writer = SafetensorsWriter::create(dir.path() / "x", {{"a", DType::kF32, {2, 3}}});
  ASSERT_TRUE(writer.ok());
  EXPECT_FALSE((*writer)->append(at::zeros({3, 2})).ok());
  EXPECT_FALSE((*writer)->append(at::zeros({6})).ok());
  EXPECT_TRUE((*writer)->append(at::zeros({2, 3})).ok());
}

TEST(SafetensorsWriter, TakesATensorInSlices) {
  const TempDir dir;
  auto writer =
      SafetensorsWriter::create(dir.path() / "x", {{"a", DType::kBF16, {2, 3}}, {"b", DType::kF32, {1}}});
  ASSERT_TRUE(writer.ok());
  const at::Tensor a = at::arange(6, at::kFloat).view({2, 3}) / 7;
  ASSERT_TRUE((*writer)->append_slice(a.view({-1}).narrow(0, 0, 2)).ok());
  EXPECT_FALSE((*writer)->append(a).ok());                     // it is begun
  EXPECT_FALSE((*writer)->append_slice(at::zeros({5})).ok());  // more than is left
  EXPECT_FALSE((*writer)->finish().ok());
  ASSERT_TRUE((*writer)->append_slice(a.view({-1}).narrow(0, 2, 4)).ok());
  ASSERT_TRUE((*writer)->append(at::ones({1})).ok());
  ASSERT_TRUE((*writer)->finish().ok());

  const auto source = open_tensor_file(dir.path() / "x");
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_TRUE(at::equal(*(*source)->read("a", {2, 3}, at::kBFloat16, at::kCPU), a.to(at::kBFloat16)));
  EXPECT_EQ((*source)->read("b", {1}, at::kFloat, at::kCPU)->item<float>(), 1.0f);
  // And gives it in slices.
  const auto slice = (*source)->read_slice({"a", DType::kBF16, {2, 3}}, 1, 4);
  ASSERT_TRUE(slice.ok()) << slice.error().message;
  EXPECT_TRUE(at::equal(*slice, a.to(at::kBFloat16).view({-1}).narrow(0, 1, 4)));
  EXPECT_FALSE((*source)->read_slice({"c", DType::kF32, {1}}, 0, 1).ok());
}

TEST(SafetensorsWriter, LeavesNothingWhenItIsNotFinished) {
  const TempDir dir;
  {
    auto writer = SafetensorsWriter::create(dir.path() / "x", {{"a", DType::kF32, {2}}});
    ASSERT_TRUE(writer.ok());
    EXPECT_FALSE(is_empty(dir));
  }
  EXPECT_TRUE(is_empty(dir));
}

TEST(SafetensorsWriter, KeepsTheOldFileUntilTheNewOneIsWhole) {
  const TempDir dir;
  const auto path = dir.write("x", "old");
  auto writer = SafetensorsWriter::create(path, {{"a", DType::kF32, {2}}});
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(std::filesystem::file_size(path), 3u);
  ASSERT_TRUE((*writer)->append(at::ones({2})).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_TRUE(open_tensor_file(path).ok());
}

TEST(SafetensorsWriter, RefusesBadListsAndFolders) {
  const TempDir dir;
  EXPECT_FALSE(
      SafetensorsWriter::create(dir.path() / "x", {{"a", DType::kF32, {2}}, {"a", DType::kF32, {2}}}).ok());
  EXPECT_TRUE(is_empty(dir));
  EXPECT_FALSE(SafetensorsWriter::create(dir.path() / "absent" / "x", {{"a", DType::kF32, {2}}}).ok());
}

}  // namespace
}  // namespace sdv2
