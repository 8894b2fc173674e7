// SPDX-License-Identifier: LGPL-2.1-or-later
// Misuse of the C ABI gives a status; the C++ wrapper finds engines and tells what is wrong with others.
#include <utility>

#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class AbiTest : public StubTest {
 protected:
  static sdv2_code code_of(sdv2_status* status) {
    const sdv2_code code = sdv2_status_code(status);
    if (code != SDV2_OK) {
      EXPECT_STRNE(sdv2_status_message(status), "");
    }
    sdv2_status_free(status);
    return code;
  }
};

TEST_F(AbiTest, NullIsSuccess) {
  EXPECT_EQ(sdv2_status_code(nullptr), SDV2_OK);
  EXPECT_STREQ(sdv2_status_message(nullptr), "");
  sdv2_status_free(nullptr);
  sdv2_string_free(nullptr);
  sdv2_model_close(nullptr);
  sdv2_model_cancel(nullptr);
  sdv2_session_close(nullptr);
}

TEST_F(AbiTest, NullHandlesAreInvalid) {
  char* text = nullptr;
  EXPECT_EQ(code_of(sdv2_model_wait(nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_model_info(nullptr, &text)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_model_info(model().raw(), nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_model_open(R"({"model": "a"})", nullptr, nullptr)), SDV2_INVALID_ARGUMENT);
  sdv2_model* opened = nullptr;
  EXPECT_EQ(code_of(sdv2_model_open(nullptr, nullptr, &opened)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_open(model().raw(), "{}", nullptr, nullptr)), SDV2_INVALID_ARGUMENT);
  sdv2_session* session = nullptr;
  EXPECT_EQ(code_of(sdv2_session_open(nullptr, "{}", nullptr, &session)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_open(model().raw(), nullptr, nullptr, &session)), SDV2_INVALID_ARGUMENT);
  const RgbImage image(4, 4);
  EXPECT_EQ(code_of(sdv2_session_set(nullptr, "{}", nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(sdv2_session_chunk_frames(nullptr), 0);
  EXPECT_EQ(code_of(sdv2_session_put_frame(nullptr, &image.view())), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_submit(nullptr, 0, nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_read_frame(nullptr, 0, 0, &image.view())), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_release_chunk(nullptr, 0)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_drain(nullptr, 0)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_reset(nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_flush(nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_get_stats(nullptr, nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_get_stats_json(nullptr, &text)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_trace_stop(nullptr)), SDV2_INVALID_ARGUMENT);
}

TEST_F(AbiTest, StructsMustTellTheirSize) {
  auto session = open();
  sdv2_receipt receipt{};
  EXPECT_EQ(code_of(sdv2_session_set(session.raw(), "{}", &receipt)), SDV2_INVALID_ARGUMENT);
  sdv2_session_stats stats{};
  EXPECT_EQ(code_of(sdv2_session_get_stats(session.raw(), &stats)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_get_stats(session.raw(), nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_get_stats_json(session.raw(), nullptr)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(sdv2_session_put_frame(session.raw(), nullptr)), SDV2_INVALID_ARGUMENT);
  const sdv2_session_observer observer{};
  sdv2_session* opened = nullptr;
  EXPECT_EQ(code_of(sdv2_session_open(model().raw(), "{}", &observer, &opened)), SDV2_INVALID_ARGUMENT);
  const sdv2_load_observer load{};
  sdv2_model* loading = nullptr;
  EXPECT_EQ(code_of(sdv2_model_open(R"({"model": "a"})", &load, &loading)), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(loading, nullptr);
}

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
