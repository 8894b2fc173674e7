// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/fault.h"

#include <gtest/gtest.h>

#include "stream/model_config.h"

namespace sdv2 {
namespace {

TEST(Fault, IsReadAndWritten) {
  const auto fault = parse_fault("device1@chunk20");
  ASSERT_TRUE(fault.ok());
  EXPECT_EQ(*fault, (Fault{1, 20}));
  EXPECT_EQ(to_string(*fault), "device1@chunk20");
}

TEST(Fault, OtherTextsAreRefused) {
  for (const char* text :
       {"", "device1", "device@chunk2", "device1@chunk", "device-1@chunk2", "device1@chunk-2",
        "device1@chunk2 ", "1@2", "device1@chunk99999999999999999999", "device1@chunk2:sometimes"}) {
    const auto fault = parse_fault(text);
    ASSERT_FALSE(fault.ok()) << text;
    EXPECT_EQ(fault.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(fault.error().message.find("deviceN@chunkM"), std::string::npos);
  }
}

TEST(Fault, BelongsToTheConfigurationOfAModel) {
  const auto config = parse_model_config(R"({"model": "random:tiny", "fault": "device0@chunk3"})");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->fault, (Fault{0, 3}));
  const auto sound = parse_model_config(R"({"model": "random:tiny", "fault": ""})");
  ASSERT_TRUE(sound.ok());
  EXPECT_EQ(sound->fault, std::nullopt);
  EXPECT_NE(sound->key(), config->key()) << "who asks for no fault does not get a model with one";
  EXPECT_FALSE(parse_model_config(R"({"model": "random:tiny", "fault": "soon"})").ok());
  EXPECT_FALSE(parse_model_config(R"({"model": "random:tiny", "fault": 3})").ok());
}

}  // namespace
}  // namespace sdv2
