// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/torch_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/weights/file_builders.h"

namespace sdv2 {
namespace {

using test::as_bytes;
using test::checkpoint;
using test::kProto;
using test::pickle_dict;
using test::pickle_storage;
using test::pickle_tensor;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kTen = test::raw<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

std::string tensor(int32_t offset, const std::vector<int32_t>& size, const std::vector<int32_t>& stride,
                   const std::string& key = "0") {
  return pickle_tensor(pickle_storage("FloatStorage", key, 10), offset, size, stride);
}

// A tensor of one element, for tests about names.
std::string one(int32_t offset = 0) { return tensor(offset, {1}, {1}); }

Result<std::vector<StoredTensor>> read(const std::vector<std::pair<std::string, std::string>>& root) {
  return read_torch_checkpoint(as_bytes(checkpoint(kProto + pickle_dict(root) + ".", {kTen})), "file");
}

std::string error_of(const std::string& file) {
  const auto result = read_torch_checkpoint(as_bytes(file), "file");
  return result.ok() ? "" : result.error().message;
}

std::string error_of_tensor(const std::string& value) {
  return error_of(checkpoint(kProto + pickle_dict({{"x", value}}) + ".", {kTen}));
}

std::vector<std::string> keys(const Result<std::vector<StoredTensor>>& tensors) {
  if (!tensors.ok()) return {tensors.error().message};
  std::vector<std::string> out;
  for (const auto& item : *tensors) out.push_back(item.key);
  return out;
}

TEST(TorchCheckpoint, PlacesViewsOfOneStorage) {
  const std::string pickle = kProto +
                             pickle_dict({{"whole", tensor(0, {2, 5}, {5, 1})},
                                          {"turned", tensor(0, {5, 2}, {1, 5})},
                                          {"column", tensor(3, {2}, {5})},
                                          {"row", tensor(5, {1, 5}, {77, 1})},
                                          {"repeated", tensor(9, {1000}, {0})},
                                          {"scalar", tensor(4, {}, {})},
                                          {"empty", tensor(10, {0, 3}, {3, 1})}}) +
                             ".";
  for (const bool zip64 : {false, true}) {
    const std::string file = checkpoint(pickle, {kTen}, {.zip64 = zip64});
    const auto tensors = read_torch_checkpoint(as_bytes(file), "file");
    ASSERT_TRUE(tensors.ok()) << tensors.error().message;
    EXPECT_THAT(keys(tensors),
                ElementsAre("whole", "turned", "column", "row", "repeated", "scalar", "empty"));
    const uint64_t data = file.find(kTen);
    EXPECT_EQ((*tensors)[0].offset, data);
    EXPECT_EQ((*tensors)[0].extent, 40u);
    EXPECT_TRUE((*tensors)[0].strides.empty());
    EXPECT_THAT((*tensors)[1].strides, ElementsAre(1, 5));
    EXPECT_EQ((*tensors)[2].offset, data + 12);
    EXPECT_EQ((*tensors)[2].extent, 24u);
    EXPECT_TRUE((*tensors)[3].strides.empty());  // the stride of a dimension of 1 means nothing
    EXPECT_EQ((*tensors)[4].extent, 4u);
    EXPECT_EQ((*tensors)[5].offset, data + 16);
    EXPECT_EQ((*tensors)[6].extent, 0u);
  }
}

TEST(TorchCheckpoint, ChecksViewsAgainstTheirStorage) {
  EXPECT_EQ(error_of_tensor(tensor(5, {5}, {1})), "");
  EXPECT_THAT(error_of_tensor(tensor(6, {5}, {1})), HasSubstr("beyond its storage"));
  EXPECT_NE(error_of_tensor(tensor(0, {2, 2}, {9, 1})), "");
  EXPECT_NE(error_of_tensor(tensor(10, {}, {})), "");
  EXPECT_NE(error_of_tensor(tensor(11, {0}, {1})), "");
  EXPECT_EQ(error_of_tensor(tensor(0, {2, 2}, {8, 1})), "");
  constexpr int32_t kBig = INT32_MAX;
  EXPECT_NE(error_of_tensor(tensor(0, {kBig, kBig, kBig}, {kBig, kBig, kBig})), "");
  EXPECT_NE(error_of_tensor(tensor(0, {3, 3}, {kBig, kBig})), "");
}

TEST(TorchCheckpoint, BoundsRepeatedElements) {
  EXPECT_EQ(error_of_tensor(tensor(0, {4'000'000}, {0})), "");
  EXPECT_THAT(error_of_tensor(tensor(0, {5'000'000}, {0})), HasSubstr("too often"));
  EXPECT_NE(error_of_tensor(tensor(0, {INT32_MAX, INT32_MAX}, {0, 0})), "");
}

TEST(TorchCheckpoint, ChecksStoragesAgainstTheArchive) {
  EXPECT_THAT(error_of_tensor(tensor(0, {1}, {1}, "1")), HasSubstr("not in the archive"));
  EXPECT_THAT(error_of_tensor(tensor(0, {1}, {1}, "../version")), HasSubstr("not in the archive"));
  EXPECT_THAT(error_of_tensor(pickle_tensor(pickle_storage("FloatStorage", "0", 11), 0, {1}, {1})),
              HasSubstr("40 bytes"));
  EXPECT_NE(error_of_tensor(pickle_tensor(pickle_storage("DoubleStorage", "0", 6), 0, {1}, {1})), "");
  EXPECT_EQ(error_of_tensor(pickle_tensor(pickle_storage("DoubleStorage", "0", 5), 0, {1}, {1})), "");
}

TEST(TorchCheckpoint, DescendsInOrderAndNeverToTheCritic) {
  const auto nest = [](const std::string& name) { return pickle_dict({{"model." + name, one()}}); };
  EXPECT_THAT(keys(read({{"critic", nest("c")},
                         {"state_dict", nest("s")},
                         {"model", nest("m")},
                         {"generator_ema", nest("e")},
                         {"generator", nest("g")}})),
              ElementsAre("g"));
  EXPECT_THAT(keys(read({{"critic", nest("c")},
                         {"state_dict", nest("s")},
                         {"model", nest("m")},
                         {"generator_ema", nest("e")}})),
              ElementsAre("e"));
  EXPECT_THAT(keys(read({{"critic", nest("c")}, {"state_dict", nest("s")}, {"model", nest("m")}})),
              ElementsAre("m"));
  EXPECT_THAT(keys(read({{"critic", nest("c")}, {"state_dict", nest("s")}})), ElementsAre("s"));
  EXPECT_THAT(keys(read({{"critic", nest("c")}, {"flat", one()}})), ElementsAre("flat"));
  EXPECT_THAT(keys(read({{"generator", "K\x03"}, {"generator_ema", nest("e")}})), ElementsAre("e"));
  EXPECT_FALSE(read({{"critic", nest("c")}}).ok());
  EXPECT_FALSE(read({{"generator", nest("a")}, {"generator", nest("b")}}).ok());
}

TEST(TorchCheckpoint, PassesOverOtherValues) {
  EXPECT_THAT(keys(read({{"step", "K\x03"},
                         {"lr", "G12345678"},
                         {"list", "]"},
                         {"name", test::pickle_string("n")},
                         {"x", one()},
                         {"nested", pickle_dict({{"y", one()}})},
                         {"none", "N"}})),
              ElementsAre("x"));
}

TEST(TorchCheckpoint, RejectsNamesThatCollide) {
  EXPECT_THAT(keys(read({{"model.a", one()}, {"b", one(1)}})), ElementsAre("a", "b"));
  EXPECT_FALSE(read({{"a", one()}, {"a", one(1)}}).ok());
  EXPECT_FALSE(read({{"model.a", one()}, {"a", one(1)}}).ok());
  EXPECT_FALSE(read({{"model.", one()}}).ok());
  EXPECT_FALSE(read({{"a\nb", one()}}).ok());
  EXPECT_FALSE(read({{std::string(5'000, 'a'), one()}}).ok());
  EXPECT_NE(error_of(checkpoint(kProto + "}K\x01" + one() + "s.", {kTen})), "");
}

TEST(TorchCheckpoint, RejectsOtherArchives) {
  const std::string pickle = kProto + pickle_dict({{"x", one()}}) + ".";
  const test::ZipItem data{"p/data/0", kTen};
  EXPECT_EQ(error_of(test::zip({{"p/data.pkl", pickle}, data})), "");
  EXPECT_THAT(error_of(test::zip({data})), HasSubstr("no data.pkl"));
  EXPECT_NE(error_of(test::zip({{"data.pkl", pickle}, {"data/0", kTen}})), "");
  EXPECT_NE(error_of(test::zip({{"p/data.pkl", pickle}, {"q/data.pkl", pickle}, data})), "");
  EXPECT_NE(error_of(test::zip({{"p/data.pkl", pickle}, {"q/data/0", kTen}})), "");
  EXPECT_THAT(error_of(test::zip({{"p/data.pkl", pickle}, data, {"p/byteorder", "big"}})),
              HasSubstr("byte order"));
  EXPECT_NE(error_of(test::zip({{"p/data.pkl", kProto + "]."}, data})), "");
  EXPECT_NE(error_of(test::zip({{"p/data.pkl", kProto + "}."}, data})), "");
}

TEST(TorchCheckpoint, RejectsEveryTruncation) {
  const std::string file = checkpoint(kProto + pickle_dict({{"x", one()}}) + ".", {kTen});
  ASSERT_EQ(error_of(file), "");
  for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(error_of(file.substr(0, size)), "") << size;
}

TEST(TorchCheckpoint, KnowsItsFilesByTheirFirstBytes) {
  EXPECT_TRUE(looks_like_zip(as_bytes(checkpoint(kProto + "N.", {}))));
  EXPECT_TRUE(looks_like_zip(as_bytes(test::zip({}))));
  EXPECT_FALSE(looks_like_zip(as_bytes("PK")));
  EXPECT_TRUE(looks_like_legacy_torch(as_bytes("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")));
  EXPECT_FALSE(looks_like_legacy_torch(as_bytes("\x80\x02}.")));
}

}  // namespace
}  // namespace sdv2
