// SPDX-License-Identifier: LGPL-2.1-or-later
// Prompt cleaning. The expected values are those of Python's html.unescape and of ftfy 6.3.1 without its
// encoding repair.
#include "text/clean_prompt.h"

#include <gtest/gtest.h>

#include "text/fix_text.h"
#include "text/html_entities.h"
#include "text/utf8.h"

namespace sdv2 {
namespace {

TEST(Utf8, DecodesEveryLengthAndEncodesItBack) {
  const std::u32string text = {'a', 0xE9, 0x20AC, 0x1F600, 0, 'z'};
  EXPECT_EQ(utf8_to_utf32("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), text.substr(0, 4));
  EXPECT_EQ(utf8_to_utf32(utf32_to_utf8(text)), text);
}

TEST(Utf8, ReplacesEachMalformedByte) {
  const struct {
    std::string_view bytes;
    std::u32string_view want;
  } cases[] = {
      {"\x80", U"\ufffd"},                                // a stray continuation
      {"\xc3", U"\ufffd"},                                // cut off
      {"\xc0\xaf", U"\ufffd\ufffd"},                      // overlong
      {"\xe0\x80\xaf", U"\ufffd\ufffd\ufffd"},            // overlong
      {"\xed\xa0\x80", U"\ufffd\ufffd\ufffd"},            // a surrogate
      {"\xf4\x90\x80\x80", U"\ufffd\ufffd\ufffd\ufffd"},  // above U+10FFFF
      {"\xff\xfe", U"\ufffd\ufffd"},                      // never bytes of UTF-8
      {"\xe2\x82x", U"\ufffd\ufffdx"},                    // ended by another character
  };
  for (const auto& [bytes, want] : cases) EXPECT_EQ(utf8_to_utf32(bytes), want);
  EXPECT_EQ(utf32_to_utf8(std::u32string(1, 0xD800)), "\xef\xbf\xbd");
  EXPECT_EQ(utf32_to_utf8(std::u32string(1, 0x110000)), "\xef\xbf\xbd");
}

TEST(HtmlUnescape, FollowsHtml5) {
  const struct {
    const char32_t* text;
    const char32_t* want;
  } cases[] = {
      {U"&amp;&lt;&gt;&quot;&#39;", U"&<>\"'"},
      {U"&amp &ampx &notit; &notin;", U"& &x \u00acit; \u2209"},
      {U"&eacute;&Eacute;&EACUTE;", U"\u00e9\u00c9&EACUTE;"},
      {U"&#233;&#xE9;&#XE9 &#233x", U"\u00e9\u00e9\u00e9 \u00e9x"},
      {U"&#128;&#0;&#xD800;&#x110000;&#99999999999999999999;", U"\u20ac\ufffd\ufffd\ufffd\ufffd"},
      {U"&#1;&#xFFFE;&#13;&#12;&#129;", U"\r\f\u0081"},
      {U"&unknown; &; & &# &#; &#x; &#xg;", U"&unknown; &; & &# &#; &#x; &#xg;"},
      {U"&nvlt;&fjlig;&bne;", U"<\u20d2fj=\u20e5"},
      {U"&CounterClockwiseContourIntegral;", U"\u2233"},
      {U"&amp;lt;", U"&lt;"},
      {U"&am\u00e9p;", U"&am\u00e9p;"},
      {U"&lt\u00e9;", U"<\u00e9;"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(html_unescape(text), want);
}

TEST(HtmlUnescapeStrict, DecodesWholeReferencesOnly) {
  const struct {
    const char32_t* text;
    const char32_t* want;
  } cases[] = {
      {U"&amp;&EACUTE;&SZLIG;&nTILDE;", U"&\u00c9SS&nTILDE;"},
      {U"&amp &#65 &notit;", U"&amp &#65 &notit;"},
      {U"&#65;&#x41;&#65x;&#x;", U"AA&#65x;&#x;"},
      {U"&#59;&#x3b;&semi;", U"&#59;&#x3b;;"},
      {U"&#1;|", U"|"},
      {U"&CounterClockwiseContourIntegral;", U"&CounterClockwiseContourIntegral;"},  // longer than 24 letters
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(html_unescape_strict(text), want);
}

TEST(FixText, AppliesEachRule) {
  const struct {
    const char32_t* text;
    const char32_t* want;
  } cases[] = {
      {U"\u0091c1\u0092 \u0085 \u0081", U"'c1' \u2026 \u0081"},
      {U"\ufb01 \u0133 \u01c4 \u0149", U"fi ij D\u017d 'n"},
      {U"\uff21\uff0c\u3000\uff76\uff9e", U"A, \u30ac"},
      {U"\u201cx\u201f \u2018y\u201b \u02bc", U"\"x\" 'y' '"},
      {U"a\r\nb\rc\u2028d\u2029e", U"a\nb\nc\nd\ne"},
      {U"\u001b[31mred\u001b[0m \u001b[1;\u0663m \u001b[", U"red  ["},
      {U"\u0001\u0008\u000b\u007f\u206a\ufeff\ufffc|\t\f\u200d", U"|\t\f\u200d"},
      {U"e\u0301 \u212b", U"\u00e9 \u00c5"},
      {U"&amp;amp;lt;", U"<"},            // until nothing changes
      {U"\u001b\u001b[0m[0mx", U"[0mx"},  // not the escapes that a removal makes
      {U"a &amp; b\nc < d &amp; e\nf &amp; g", U"a & b\nc < d &amp; e\nf &amp; g"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(fix_text(text), want) << utf32_to_utf8(text);
}

TEST(CleanPrompt, CollapsesWhitespaceOfEveryKind) {
  EXPECT_EQ(clean_prompt("  a \t\n b\xc2\xa0\xe2\x80\x83\xe3\x80\x80 c  "), "a b c");
  EXPECT_EQ(clean_prompt(" \n "), "");
  EXPECT_EQ(clean_prompt(""), "");
  EXPECT_EQ(clean_prompt("zero\xe2\x80\x8bwidth"), "zero\xe2\x80\x8bwidth");
}

TEST(CleanPrompt, DecodesReferencesTwiceMore) {
  EXPECT_EQ(clean_prompt("<b> &amp;amp;amp; &nbsp;x&copy"), "<b> &amp; x\xc2\xa9");
}

TEST(CleanPrompt, TakesAnyBytes) {
  EXPECT_EQ(clean_prompt("a\xff\xc3 b"), "a\xef\xbf\xbd\xef\xbf\xbd b");
  EXPECT_EQ(clean_prompt(std::string_view("a\0b", 3)), "ab");
}

TEST(CleanPrompt, LeavesCleanTextAlone) {
  for (const char* text : {"a red fox, oil painting", "\xe4\xb8\x80\xe5\x8f\xaa\xe7\x8c\xab",
                           "x\xc2\xb2 \xe2\x84\xa2", "\xc3\x83\xc2\xa9 stays wrongly decoded"})
    EXPECT_EQ(clean_prompt(text), text);
}

}  // namespace
}  // namespace sdv2
