// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/quote.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

TEST(Quote, KeepsPrintableAscii) { EXPECT_EQ(quote("blocks.0.weight"), "'blocks.0.weight'"); }

TEST(Quote, EscapesControlSequencesAndHighBytes) {
  EXPECT_EQ(quote(std::string_view("\x1b[2J\n\0\xff", 7)), "'\\x1b[2J\\x0a\\x00\\xff'");
}

TEST(Quote, CutsLongText) {
  EXPECT_EQ(quote(std::string(1'000'000, 'a')), "'" + std::string(120, 'a') + "...'");
}

TEST(IsUtf8, AcceptsEveryLength) { EXPECT_TRUE(is_utf8("a\u00e9\u20ac\U0001f600\U0010ffff")); }

TEST(IsUtf8, RejectsMalformedBytes) {
  for (const std::string_view bad : {"\x80", "\xc3", "\xc3(", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                     "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
    EXPECT_FALSE(is_utf8(bad)) << quote(bad);
}

}  // namespace
}  // namespace sdv2
