// SPDX-License-Identifier: LGPL-2.1-or-later
// The log of the stub; the C++ wrapper finds engines and tells what is wrong with others.
#include <utility>

#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class AbiTest : public StubTest {};

TEST_F(AbiTest, LogIsRoutedByLevel) {
  std::vector<std::string> lines;
  const auto log = [](void* user, sdv2_log_level, const char* message) {
    static_cast<std::vector<std::string>*>(user)->emplace_back(message);
  };
  sdv2_set_log(SDV2_LOG_WARNING, log, &lines);
  EXPECT_TRUE(engine().open_model(R"({"model": "quiet"})")->wait().ok());
  EXPECT_TRUE(lines.empty());
  sdv2_set_log(SDV2_LOG_INFO, log, &lines);
  { EXPECT_TRUE(engine().open_model(R"({"model": "heard"})")->wait().ok()); }
  sdv2_set_log(SDV2_LOG_ERROR, nullptr, nullptr);
  EXPECT_EQ(lines, std::vector<std::string>{"model loaded"});
}

TEST_F(AbiTest, EngineIsOpenedByPath) {
  const auto opened = client::Engine::open(SDV2_STUB_PATH);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_STREQ(opened->version(), SDV2_VERSION);
  EXPECT_EQ(opened->functions().model_open, &sdv2_model_open) << "the same instance as the linked one";
}

TEST_F(AbiTest, WrongLibrariesAreTold) {
  const auto missing = client::Engine::open("/nowhere/libsdv2engine.so");
  EXPECT_EQ(missing.status().code(), SDV2_NOT_FOUND);
  EXPECT_NE(missing.status().message().find("/nowhere/libsdv2engine.so"), std::string::npos);
  const auto other = client::Engine::open("libm.so.6");
  EXPECT_EQ(other.status().code(), SDV2_NOT_FOUND);
  EXPECT_NE(other.status().message().find("sdv2_abi_supported"), std::string::npos);
  ASSERT_EQ(sdv2_stub_program(R"({"abi_version": 99})"), 1);
  EXPECT_EQ(client::Engine::linked().status().code(), SDV2_UNSUPPORTED);
}

TEST_F(AbiTest, WrapperMovesAndCloses) {
  client::Session first = open();
  client::Session second = std::move(first);
  EXPECT_EQ(second.chunk_frames(), 5);
  EXPECT_EQ(sdv2_stub_count().sessions, 1);
  second = open();
  EXPECT_EQ(sdv2_stub_count().sessions, 1);
}

}  // namespace
}  // namespace sdv2
