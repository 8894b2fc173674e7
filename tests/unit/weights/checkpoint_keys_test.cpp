// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/checkpoint_keys.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

TEST(StripWrappers, LeavesPlainNames) {
  EXPECT_EQ(strip_wrappers("blocks.0.self_attn.q.weight"), "blocks.0.self_attn.q.weight");
  EXPECT_EQ(strip_wrappers("remodel.weight"), "remodel.weight");
  EXPECT_EQ(strip_wrappers("encoder.model.weight"), "encoder.model.weight");
  EXPECT_EQ(strip_wrappers("modulation"), "modulation");
  EXPECT_EQ(strip_wrappers(""), "");
}

TEST(StripWrappers, StripsOneOfEachPrefixInOrder) {
  EXPECT_EQ(strip_wrappers("model.head"), "head");
  EXPECT_EQ(strip_wrappers("module.head"), "head");
  EXPECT_EQ(strip_wrappers("module.model.head"), "head");
  EXPECT_EQ(strip_wrappers("model.model.head"), "model.head");
  EXPECT_EQ(strip_wrappers("model.module.head"), "module.head");
}

TEST(StripWrappers, RemovesInfixesAnywhere) {
  EXPECT_EQ(
      strip_wrappers("model._fsdp_wrapped_module.blocks.0._fsdp_wrapped_module._checkpoint_wrapped_module.q"),
      "blocks.0.q");
  EXPECT_EQ(strip_wrappers("_orig_mod.model.head"), "head");
  EXPECT_EQ(strip_wrappers("_fsdp_wrapped_module.module._orig_mod.model.head"), "head");
}

}  // namespace
}  // namespace sdv2
