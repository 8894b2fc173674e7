// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/tensor_file.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "unit/base/temp_dir.h"
#include "unit/weights/file_builders.h"

namespace sdv2 {
namespace {

using test::checkpoint;
using test::kProto;
using test::pickle_dict;
using test::pickle_storage;
using test::pickle_tensor;
using test::safetensors;
using test::TempDir;
using testing::HasSubstr;

std::unique_ptr<WeightSource> open(const std::filesystem::path& path) {
  auto source = open_tensor_file(path);
  EXPECT_TRUE(source.ok()) << source.error().message;
  return source.ok() ? *std::move(source) : nullptr;
}

std::string open_error(const std::filesystem::path& path) {
  const auto source = open_tensor_file(path);
  return source.ok() ? "" : source.error().message;
}

at::Tensor read(WeightSource& source, const std::string& key, const std::vector<int64_t>& shape,
                at::ScalarType type = at::kFloat) {
  auto tensor = source.read(key, shape, type, at::kCPU);
  EXPECT_TRUE(tensor.ok()) << tensor.error().message;
  return tensor.ok() ? *std::move(tensor) : at::Tensor();
}

std::string one_tensor(const char* dtype, const char* shape, std::string_view data,
                       std::string_view gap = "") {
  return safetensors("{\"x\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + shape +
                         ",\"data_offsets\":[" + std::to_string(gap.size()) + "," +
                         std::to_string(gap.size() + data.size()) + "]}}",
                     std::string(gap) + std::string(data));
}

TEST(TensorFile, ReadsEveryDType) {
  const TempDir dir;
  const at::Tensor values = at::tensor({0.0f, 1.0f, 1.5f, 96.0f});
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    const at::Tensor stored = values.to(to_scalar_type(dtype));
    const std::string data(static_cast<const char*>(stored.const_data_ptr()), stored.nbytes());
    const auto source = open(dir.write("x.safetensors", one_tensor(to_string(dtype), "[4]", data)));
    ASSERT_NE(source, nullptr);
    EXPECT_EQ(source->tensors()->at(0).dtype, dtype);
    const at::Tensor same = read(*source, "x", {4}, to_scalar_type(dtype));
    EXPECT_EQ(same.scalar_type(), to_scalar_type(dtype));
    EXPECT_TRUE(at::equal(same.to(at::kDouble), stored.to(at::kDouble))) << to_string(dtype);
    EXPECT_TRUE(at::equal(read(*source, "x", {4}), stored.to(at::kFloat))) << to_string(dtype);
  }
}

TEST(TensorFile, ConvertsToTheWantedType) {
  const TempDir dir;
  const auto source = open(
      dir.write("x.safetensors", one_tensor("F32", "[2,2]", test::raw<float>({1, 2.00390625f, -3, 1e30f}))));
  ASSERT_NE(source, nullptr);
  const at::Tensor tensor = read(*source, "x", {2, 2}, at::kBFloat16);
  EXPECT_TRUE(tensor.is_contiguous());
  EXPECT_TRUE(
      at::equal(tensor, at::tensor({1.0f, 2.00390625f, -3.0f, 1e30f}).view({2, 2}).to(at::kBFloat16)));
}

TEST(TensorFile, NeedsNoAlignment) {
  const TempDir dir;
  const auto source =
      open(dir.write("x.safetensors", one_tensor("F64", "[3]", test::raw<double>({1, 2, 3}), "odd")));
  ASSERT_NE(source, nullptr);
  EXPECT_TRUE(at::equal(read(*source, "x", {3}), at::tensor({1.0f, 2.0f, 3.0f})));
}

TEST(TensorFile, ReadsAnyNonZeroBoolAsTrue) {
  const TempDir dir;
  const auto source =
      open(dir.write("x.safetensors", one_tensor("BOOL", "[4]", std::string("\0\x01\x02\xff", 4))));
  ASSERT_NE(source, nullptr);
  EXPECT_TRUE(at::equal(read(*source, "x", {4}, at::kBool), at::tensor({0, 1, 1, 1}).to(at::kBool)));
}

TEST(TensorFile, ReadsTensorsLargerThanOneChunk) {
  const TempDir dir;
  const int64_t count = (int64_t{16} << 20) / 4 * 2 + 3;  // two chunks and a bit, once aligned and once not
  const at::Tensor values = at::arange(count, at::kInt);
  const std::string_view data(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
  for (const char* gap : {"", "x"}) {
    const auto source = open(dir.write(
        "x.safetensors", one_tensor("I32", ("[" + std::to_string(count) + "]").c_str(), data, gap)));
    ASSERT_NE(source, nullptr);
    EXPECT_TRUE(at::equal(read(*source, "x", {count}, at::kInt), values));
  }
}

TEST(TensorFile, ReadsScalarsAndEmptyTensors) {
  const TempDir dir;
  const std::string header =
      R"({"e":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
  const auto source = open(dir.write("x.safetensors", safetensors(header, test::raw<float>({7}))));
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(read(*source, "s", {}).item<float>(), 7);
  EXPECT_EQ(read(*source, "e", {0, 3}).numel(), 0);
}

TEST(TensorFile, NamesMissingAndMisshapenTensors) {
  const TempDir dir;
  const auto source = open(dir.write("x.safetensors", one_tensor("U8", "[2,3]", "123456")));
  ASSERT_NE(source, nullptr);
  const auto missing = source->read("y", {1}, at::kFloat, at::kCPU);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto misshapen = source->read("x", {6}, at::kFloat, at::kCPU);
  ASSERT_FALSE(misshapen.ok());
  EXPECT_THAT(misshapen.error().message,
              testing::AllOf(HasSubstr("x.safetensors"), HasSubstr("[2,3]"), HasSubstr("[6]")));
}

TEST(TensorFile, ReadsCheckpointsWithViews) {
  const TempDir dir;
  const auto view = [](int32_t offset, const std::vector<int32_t>& size, const std::vector<int32_t>& stride) {
    return pickle_tensor(pickle_storage("FloatStorage", "0", 6), offset, size, stride);
  };
  const std::string nest = pickle_dict({{"model.w", view(0, {2, 3}, {3, 1})},
                                        {"model.t", view(0, {3, 2}, {1, 3})},
                                        {"model.r", view(4, {2, 2}, {0, 1})}});
  const auto source = open(dir.write("c.pt", checkpoint(kProto + pickle_dict({{"generator", nest}}) + ".",
                                                        {test::raw<float>({0, 1, 2, 3, 4, 5})})));
  ASSERT_NE(source, nullptr);
  const at::Tensor w = at::arange(6, at::kFloat).view({2, 3});
  EXPECT_TRUE(at::equal(read(*source, "w", {2, 3}), w));
  EXPECT_TRUE(at::equal(read(*source, "t", {3, 2}), w.t()));
  EXPECT_TRUE(read(*source, "t", {3, 2}).is_contiguous());
  EXPECT_TRUE(
      at::equal(read(*source, "r", {2, 2}, at::kHalf), at::tensor({4, 5, 4, 5}).view({2, 2}).to(at::kHalf)));
}

TEST(TensorFile, ReadsShards) {
  const TempDir dir;
  dir.write("1.safetensors", one_tensor("U8", "[1]", "1"));
  dir.write(
      "2.safetensors",
      safetensors(
          R"({"y":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"unlisted":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
          "23"));
  const auto source = open(
      dir.write("m.safetensors.index.json", R"({"weight_map":{"x":"1.safetensors","y":"2.safetensors"}})"));
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->tensors()->size(), 2u);
  EXPECT_EQ(read(*source, "x", {1}, at::kByte).item<int>(), '1');
  EXPECT_EQ(read(*source, "y", {1}, at::kByte).item<int>(), '2');
}

TEST(TensorFile, RejectsBrokenIndexes) {
  const TempDir dir;
  dir.write("1.safetensors", one_tensor("U8", "[1]", "1"));
  const auto error = [&](const char* map) {
    return open_error(dir.write("i.json", "{\"weight_map\":" + std::string(map) + "}"));
  };
  EXPECT_EQ(error(R"({"x":"1.safetensors"})"), "");
  EXPECT_THAT(error(R"({"y":"1.safetensors"})"), HasSubstr("'y' is not in its shard"));
  EXPECT_THAT(error(R"({"x":"0.safetensors"})"), HasSubstr("0.safetensors"));
  EXPECT_NE(error(R"({"x":"../1.safetensors"})"), "");
  EXPECT_NE(error(R"({"x":"i.json"})"), "");
}

TEST(TensorFile, TellsFilesApartByTheirContents) {
  const TempDir dir;
  // A header of 0x7b bytes makes a safetensors file begin with a brace.
  std::string header = R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(0x7b, ' ');
  EXPECT_EQ(open_error(dir.write("brace", safetensors(header, "1"))), "");
  EXPECT_THAT(
      open_error(dir.write("old.pt", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.more")),
      HasSubstr("before 1.6"));
  EXPECT_NE(open_error(dir.write("empty", "")), "");
  EXPECT_NE(open_error(dir.write("text", "hello world, this is text")), "");
  EXPECT_NE(open_error(dir.path() / "absent"), "");
  EXPECT_NE(open_error(dir.path()), "");
}

// Kilobytes of the process's memory that are pages of files: of libraries, and of what is mapped.
int64_t file_pages_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "RssFile:") {
      int64_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

TEST(TensorFile, GivesPagesBack) {
  const TempDir dir;
  constexpr int64_t kBytes = int64_t{48} << 20;
  const auto make = [&](const char* name, int64_t bytes) {
    return open(dir.write(name, one_tensor("U8", ("[" + std::to_string(bytes) + "]").c_str(),
                                           std::string(static_cast<size_t>(bytes), 'd'))));
  };
  const auto small = make("small", 100);
  const auto large = make("large", kBytes);
  ASSERT_TRUE(small != nullptr && large != nullptr);
  read(*small, "x", {100}, at::kByte);  // brings in the code that reads
  const int64_t before = file_pages_kib();
  read(*large, "x", {kBytes}, at::kByte);
  EXPECT_LT(file_pages_kib() - before, 4 * 1024);
}

}  // namespace
}  // namespace sdv2
