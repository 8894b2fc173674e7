// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/zip_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/weights/file_builders.h"

namespace sdv2 {
namespace {

using test::as_bytes;
using test::le;
using test::patched;
using test::zip;
using testing::HasSubstr;

std::string error_of(const std::string& file) {
  const auto result = read_zip_directory(as_bytes(file), "file");
  return result.ok() ? "" : result.error().message;
}

// Layout of zip({{"a", "123"}}): local header 0…31 (name at 30), data 31…33, directory 34…80 (46 + 1), end
// record 81…102.
const std::string kOne = zip({{"a", "123"}});
constexpr size_t kDirectory = 34;
constexpr size_t kEnd = 81;

void expect_entries(const std::string& file) {
  const auto entries = read_zip_directory(as_bytes(file), "file");
  ASSERT_TRUE(entries.ok()) << entries.error().message;
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "p/data.pkl");
  EXPECT_EQ(file.substr((*entries)[0].offset, (*entries)[0].size), "abc");
  EXPECT_EQ(file.substr((*entries)[1].offset, (*entries)[1].size), "");
  EXPECT_EQ(file.substr((*entries)[2].offset, (*entries)[2].size), "defg");
}

TEST(ZipDirectory, FindsDataThroughTheLocalHeaders) {
  const std::vector<test::ZipItem> items = {
      {"p/data.pkl", "abc", 0, 0x0808, 20}, {"p/empty", ""}, {"p/data/0", "defg", 0, 0x0808, 61}};
  expect_entries(zip(items));
  expect_entries(zip(items, {.comment = "a comment PK\x05\x06 with a signature in it and some more text"}));
}

TEST(ZipDirectory, ReadsZip64) {
  const std::vector<test::ZipItem> items = {
      {"p/data.pkl", "abc"}, {"p/empty", ""}, {"p/data/0", "defg", 0, 0, 7}};
  expect_entries(zip(items, {.zip64 = true}));
  expect_entries(zip(items, {.zip64 = true, .comment = "c"}));
}

TEST(ZipDirectory, AcceptsAnEmptyArchive) { EXPECT_EQ(error_of(zip({})), ""); }

TEST(ZipDirectory, RejectsEveryTruncation) {
  const std::string wide = zip({{"a", "123"}, {"b", "45"}}, {.zip64 = true});
  for (const std::string& file : {kOne, wide})
    for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(error_of(file.substr(0, size)), "") << size;
  for (size_t cut = 1; cut < 40; ++cut) EXPECT_NE(error_of(kOne.substr(cut)), "") << cut;
}

TEST(ZipDirectory, RejectsCompressedAndEncryptedEntries) {
  EXPECT_THAT(error_of(zip({{"a", "123", 8}})), HasSubstr("compressed"));
  EXPECT_THAT(error_of(zip({{"a", "123", 0, 1}})), HasSubstr("encrypted"));
  EXPECT_NE(error_of(patched(kOne, 8, le(8, 2))), "");  // the local header alone says deflated
}

TEST(ZipDirectory, RejectsDuplicatesAndOverlap) {
  EXPECT_THAT(error_of(zip({{"a", "1"}, {"a", "2"}})), HasSubstr("two zip entries"));
  // b's local header lies inside the data of a.
  const std::string inner = zip({{"b", "1"}}).substr(0, 32);
  const std::string file = zip({{"a", inner}, {"b", "1"}});
  const size_t second = file.rfind("PK\x01\x02");
  EXPECT_THAT(error_of(patched(file, second + 42, le(31, 4))), HasSubstr("overlap"));
}

TEST(ZipDirectory, ChecksEveryRange) {
  ASSERT_EQ(error_of(kOne), "");
  EXPECT_NE(error_of(patched(kOne, kDirectory + 20, le(4, 4) + le(4, 4))),
            "");                                                      // one byte into the directory
  EXPECT_NE(error_of(patched(kOne, kDirectory + 20, le(4, 4))), "");  // sizes differ
  EXPECT_NE(error_of(patched(kOne, kDirectory + 42, le(1, 4))), "");  // no local header there
  EXPECT_NE(error_of(patched(kOne, kDirectory + 42, le(0xfffffffe, 4))), "");
  EXPECT_NE(error_of(patched(kOne, kDirectory + 20, le(0xfffffffe, 4) + le(0xfffffffe, 4))), "");
  EXPECT_NE(error_of(patched(kOne, kDirectory + 28, le(0xffff, 2))), "");  // name beyond the directory
  EXPECT_NE(error_of(patched(kOne, kDirectory + 28, le(2, 2))), "");
  EXPECT_NE(error_of(patched(kOne, 26, le(0xffff, 2))), "");  // local name
  EXPECT_NE(error_of(patched(kOne, 28, le(0xffff, 2))), "");  // local extra field
  EXPECT_NE(error_of(patched(kOne, 30, "z")), "");            // names differ
  EXPECT_NE(error_of(patched(kOne, kEnd + 12, le(0x7fffffff, 4))), "");
  EXPECT_NE(error_of(patched(kOne, kEnd + 16, le(0x7fffffff, 4))), "");
  EXPECT_NE(error_of(patched(kOne, kEnd + 16, le(kDirectory + 1, 4))), "");
  EXPECT_NE(error_of(patched(kOne, kEnd + 8, le(2, 2) + le(2, 2))), "");  // more entries than there are
  EXPECT_NE(error_of(patched(kOne, kEnd + 8, le(0, 2) + le(0, 2))), "");  // fewer
  EXPECT_NE(error_of(patched(kOne, kEnd + 4, le(1, 2))), "");             // part of several
}

TEST(ZipDirectory, ChecksZip64Records) {
  const std::string file = zip({{"a", "123"}}, {.zip64 = true});
  ASSERT_EQ(error_of(file), "");
  const size_t end64 = file.rfind("PK\x06\x06");
  const size_t locator = file.rfind("PK\x06\x07");
  const size_t end = file.rfind("PK\x05\x06");
  for (const uint64_t wrong : {uint64_t{0}, uint64_t{end64} + 1, ~uint64_t{0}, ~uint64_t{0} - 55})
    EXPECT_NE(error_of(patched(file, locator + 8, le(wrong, 8))), "") << wrong;
  for (const size_t field : {32, 40, 48})  // entries, size, offset of the directory
    for (const uint64_t wrong : {~uint64_t{0}, uint64_t{1} << 63, uint64_t{1} << 32})
      EXPECT_NE(error_of(patched(file, end64 + field, le(wrong, 8))), "") << field;
  EXPECT_NE(error_of(patched(file, end + 10, le(7, 2))), "");  // contradicts the 64-bit record
  const size_t extra = file.rfind("abc") + 3;                  // id, length, size, packed size, local offset
  EXPECT_NE(error_of(patched(file, extra, le(9, 2))), "");
  EXPECT_NE(error_of(patched(file, extra + 2, le(16, 2))), "");
  EXPECT_NE(error_of(patched(file, extra + 2, le(25, 2))), "");
  for (const size_t field : {4, 12, 20})
    for (const uint64_t wrong : {~uint64_t{0}, uint64_t{1} << 63, uint64_t{100}})
      EXPECT_NE(error_of(patched(file, extra + field, le(wrong, 8))), "") << field;
}

}  // namespace
}  // namespace sdv2
