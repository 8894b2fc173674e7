// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/chain.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

constexpr ChainShape kShape = {.encoder_layers = 3, .blocks = 4, .steps = 2, .decoder_layers = 2};

TEST(Chain, CountsAllUnits) { EXPECT_EQ(kShape.unit_count(), 3 + 1 + 2 * (4 + 2) + 2); }

TEST(Chain, PositionsAndUnitsAreInverse) {
  for (int position = 0; position < kShape.unit_count(); ++position)
    EXPECT_EQ(position_of(kShape, unit_at(kShape, position)), position);
}

TEST(Chain, NamesAndUnitsAreInverse) {
  for (int position = 0; position < kShape.unit_count(); ++position) {
    const Unit unit = unit_at(kShape, position);
    const auto parsed = parse_unit(to_string(unit));
    ASSERT_TRUE(parsed.ok()) << to_string(unit);
    EXPECT_EQ(*parsed, unit);
  }
}

TEST(Chain, RefusesWhatIsNoUnit) {
  for (const char* name :
       {"", "enc", "enc.", "enc.x", "enc.-1", "s0", "s0.", "s0.b", "s.b1", "0.b1", "mix.0", "dec.1x"})
    EXPECT_FALSE(parse_unit(name).ok()) << name;
}

TEST(Chain, KnowsWhichUnitsItDoesNotHave) {
  for (const char* name : {"enc.3", "s2.patch", "s0.b4", "dec.2"})
    EXPECT_FALSE(position_of(kShape, *parse_unit(name))) << name;
}

TEST(Chain, MayBeginAndEndWithLatents) {
  const ChainShape shape = {.encoder_layers = 0, .blocks = 1, .steps = 1, .decoder_layers = 0};
  ASSERT_EQ(shape.unit_count(), 4);
  EXPECT_EQ(unit_at(shape, 0).kind, UnitKind::kMixNoise);
  EXPECT_EQ(unit_at(shape, 3).kind, UnitKind::kHead);
}

}  // namespace
}  // namespace sdv2
