// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "unit/base/temp_dir.h"

namespace sdv2 {
namespace {

std::string text_of(const MappedFile& file) { return {file.bytes().begin(), file.bytes().end()}; }

TEST(MappedFile, ShowsTheBytes) {
  const test::TempDir dir;
  const auto file = MappedFile::open(dir.write("a", "hello"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(text_of(*file), "hello");
}

TEST(MappedFile, AnEmptyFileIsAnEmptySpan) {
  const test::TempDir dir;
  const auto file = MappedFile::open(dir.write("a", ""));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_TRUE(file->bytes().empty());
}

TEST(MappedFile, BytesStayReadableAfterRelease) {
  const test::TempDir dir;
  const std::string content(100'000, 'x');
  const auto file = MappedFile::open(dir.write("a", content));
  ASSERT_TRUE(file.ok());
  file->release(0, content.size());
  file->release(5'000, 1);
  file->release(99'999, 1'000'000);
  file->release(200'000, 1);
  EXPECT_EQ(text_of(*file), content);
}

TEST(MappedFile, MovesItsMapping) {
  const test::TempDir dir;
  auto first = MappedFile::open(dir.write("a", "first"));
  auto second = MappedFile::open(dir.write("b", "second"));
  ASSERT_TRUE(first.ok() && second.ok());
  MappedFile moved = *std::move(first);
  EXPECT_EQ(text_of(moved), "first");
  moved = *std::move(second);
  EXPECT_EQ(text_of(moved), "second");
}

TEST(MappedFile, NamesWhatIsNotThere) {
  const test::TempDir dir;
  const auto file = MappedFile::open(dir.path() / "absent");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_NE(file.error().message.find("absent"), std::string::npos);
}

TEST(MappedFile, RefusesFoldersAndPipes) {
  const test::TempDir dir;
  EXPECT_FALSE(MappedFile::open(dir.path()).ok());
  const auto pipe = dir.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(MappedFile::open(pipe).ok());  // and does not wait for a writer
}

}  // namespace
}  // namespace sdv2
