// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/fault.h"

#include <gtest/gtest.h>

#include "stream/model_config.h"

namespace sdv2 {
namespace {

TEST(Fault, IsReadAndWritten) {
  const auto fault = parse_fault("device1@chunk20");
  ASSERT_TRUE(fault.ok());
  EXPECT_EQ(*fault, (Fault{.worker = 1, .chunk = 20, .last = 20}));
  EXPECT_TRUE(fault->fails());
  EXPECT_EQ(to_string(*fault), "device1@chunk20");
}

TEST(Fault, MayBeSlownessForAWhile) {
  const auto fault = parse_fault("device2*2.5@chunk100-200");
  ASSERT_TRUE(fault.ok());
  EXPECT_EQ(*fault, (Fault{.worker = 2, .chunk = 100, .last = 200, .slowdown = 2.5}));
  EXPECT_FALSE(fault->fails());
  EXPECT_EQ(to_string(*fault), "device2*2.5@chunk100-200");
  EXPECT_TRUE(fault->slows(2, 100));
  EXPECT_TRUE(fault->slows(2, 200));
  EXPECT_FALSE(fault->slows(2, 201));
  EXPECT_FALSE(fault->slows(1, 150));
  EXPECT_FALSE(parse_fault("device2@chunk100")->slows(2, 100));
}

TEST(Fault, OtherTextsAreRefused) {
  for (const char* text :
       {"", "device1", "device@chunk2", "device1@chunk", "device-1@chunk2", "device1@chunk-2",
        "device1@chunk2 ", "device1@chunk2-4", "device1*2@chunk2", "device1*2@chunk4-2",
        "device1*0.5@chunk2-4", "device1*nan@chunk2-4", "device1*inf@chunk2-4", "device1*2000@chunk2-4",
        "1@2", "device1@chunk99999999999999999999", "device1@chunk2:sometimes"}) {
    const auto fault = parse_fault(text);
    ASSERT_FALSE(fault.ok()) << text;
    EXPECT_EQ(fault.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(fault.error().message.find("deviceN@chunkM"), std::string::npos);
  }
}

TEST(Fault, BelongsToTheConfigurationOfAModel) {
  const auto config = parse_model_config(R"({"model": "random:tiny", "fault": "device0@chunk3"})");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->fault, (Fault{.worker = 0, .chunk = 3, .last = 3}));
  const auto sound = parse_model_config(R"({"model": "random:tiny", "fault": ""})");
  ASSERT_TRUE(sound.ok());
  EXPECT_EQ(sound->fault, std::nullopt);
  EXPECT_NE(sound->key(), config->key()) << "who asks for no fault does not get a model with one";
  EXPECT_FALSE(parse_model_config(R"({"model": "random:tiny", "fault": "soon"})").ok());
  EXPECT_FALSE(parse_model_config(R"({"model": "random:tiny", "fault": 3})").ok());
}

}  // namespace
}  // namespace sdv2
