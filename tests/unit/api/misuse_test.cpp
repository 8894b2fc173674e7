// SPDX-License-Identifier: LGPL-2.1-or-later
// Misuse of the C ABI gives a status.
#include "unit/api/fixture.h"

namespace sdv2 {
namespace {

class ApiMisuseTest : public ApiTest {};

TEST_F(ApiMisuseTest, NullIsSuccess) {
  EXPECT_EQ(api().status_code(nullptr), SDV2_OK);
  EXPECT_STREQ(api().status_message(nullptr), "");
  api().status_free(nullptr);
  api().string_free(nullptr);
  api().model_close(nullptr);
  api().model_cancel(nullptr);
  api().session_close(nullptr);
  api().set_log(SDV2_LOG_ERROR, nullptr, nullptr);
}

TEST_F(ApiMisuseTest, NullHandlesAreInvalid) {
  const auto invalid = [](sdv2_status* status) { return code_of(status) == SDV2_INVALID_ARGUMENT; };
  char* text = nullptr;
  EXPECT_TRUE(invalid(api().model_wait(nullptr)));
  EXPECT_TRUE(invalid(api().model_info(nullptr, &text)));
  EXPECT_TRUE(invalid(api().model_info(model().raw(), nullptr)));
  EXPECT_TRUE(invalid(api().model_open(config().c_str(), nullptr, nullptr)));
  sdv2_model* opened = nullptr;
  EXPECT_TRUE(invalid(api().model_open(nullptr, nullptr, &opened)));
  EXPECT_TRUE(invalid(api().session_open(model().raw(), "{}", nullptr, nullptr)));
  sdv2_session* session = nullptr;
  EXPECT_TRUE(invalid(api().session_open(nullptr, "{}", nullptr, &session)));
  EXPECT_TRUE(invalid(api().session_open(model().raw(), nullptr, nullptr, &session)));
  const RgbImage image(4, 4);
  EXPECT_TRUE(invalid(api().session_set(nullptr, "{}", nullptr)));
  EXPECT_EQ(api().session_chunk_frames(nullptr), 0);
  EXPECT_TRUE(invalid(api().session_put_frame(nullptr, &image.view())));
  EXPECT_TRUE(invalid(api().session_submit(nullptr, 0, nullptr)));
  EXPECT_TRUE(invalid(api().session_read_frame(nullptr, 0, 0, &image.view())));
  EXPECT_TRUE(invalid(api().session_release_chunk(nullptr, 0)));
  EXPECT_TRUE(invalid(api().session_drain(nullptr, 0)));
  EXPECT_TRUE(invalid(api().session_reset(nullptr)));
  EXPECT_TRUE(invalid(api().session_flush(nullptr)));
  EXPECT_TRUE(invalid(api().session_get_stats(nullptr, nullptr)));
  EXPECT_TRUE(invalid(api().session_get_stats_json(nullptr, &text)));
  EXPECT_TRUE(invalid(api().trace_stop(nullptr)));
}

TEST_F(ApiMisuseTest, StructsMustTellTheirSize) {
  auto session = open();
  const auto invalid = [](sdv2_status* status) { return code_of(status) == SDV2_INVALID_ARGUMENT; };
  sdv2_receipt receipt{};
  EXPECT_TRUE(invalid(api().session_set(session.raw(), "{}", &receipt)));
  sdv2_session_stats stats{};
  EXPECT_TRUE(invalid(api().session_get_stats(session.raw(), &stats)));
  EXPECT_TRUE(invalid(api().session_get_stats(session.raw(), nullptr)));
  EXPECT_TRUE(invalid(api().session_get_stats_json(session.raw(), nullptr)));
  EXPECT_TRUE(invalid(api().session_put_frame(session.raw(), nullptr)));
  const sdv2_session_observer observer{};
  sdv2_session* opened = nullptr;
  EXPECT_TRUE(invalid(api().session_open(model().raw(), "{}", &observer, &opened)));
  EXPECT_EQ(opened, nullptr);
  const sdv2_load_observer load{};
  sdv2_model* loading = nullptr;
  EXPECT_TRUE(invalid(api().model_open(config().c_str(), &load, &loading)));
  EXPECT_EQ(loading, nullptr);
}

TEST_F(ApiMisuseTest, WhatIsNotWantedMayBeNull) {
  sdv2_session* session = nullptr;
  ASSERT_EQ(code_of(api().session_open(model().raw(), sized_settings("{}").c_str(), nullptr, &session)),
            SDV2_OK);
  EXPECT_EQ(code_of(api().session_set(session, "{}", nullptr)), SDV2_OK);
  const RgbImage image(4, 4);
  EXPECT_EQ(code_of(api().session_put_frame(session, &image.view())), SDV2_OK);
  EXPECT_EQ(code_of(api().session_submit(session, INT64_MAX, nullptr)), SDV2_OK);
  EXPECT_EQ(code_of(api().session_drain(session, kPatience)), SDV2_OK);
  api().session_close(session);
}

TEST_F(ApiMisuseTest, WrongSettingsAreRefusedByName) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"width", "250"},         {"width", "0"},
           {"width", "8208"},        {"height", "16.5"},
           {"fit", "\"fill\""},      {"capacity", "0"},
           {"capacity", "65"},       {"prompt", "3"},
           {"prompt_blend", "257"},  {"blend", "\"cubic\""},
           {"reset_on_prompt", "1"}, {"negative_prompt", "[]"},
           {"guidance", "0.5"},      {"guidance_mode", "\"\""},
           {"steps", "5"},           {"steps", "2.0"},
           {"noise_scale", "1.01"},  {"adaptive_noise", "0"},
           {"seed", "-1"},           {"seed", "9007199254740993"},
           {"kv_cache_frames", "1"}, {"sink_frames", "6"},
           {"adaptive_sink", "-2"},  {"execution", "null"},
           {"warm_up", "\"none\""},  {"similarity_filter", "2"},
           {"priority", "101"},      {"priority", "\"high\""},
           {"mix", "-0.1"},          {"promt", "\"x\""}}) {
    const auto session = model().open_session("{\"" + key + "\": " + value + "}");
    EXPECT_EQ(session.status().code(), SDV2_INVALID_ARGUMENT) << key << " " << value;
    EXPECT_NE(session.status().message().find(key), std::string::npos) << session.status().message();
  }
}

TEST_F(ApiMisuseTest, EverySettingAtItsBordersIsTaken) {
  for (
      const char* settings :
      {R"({"width": 16, "height": 8192, "fit": "crop", "capacity": 64, "prompt": "", "prompt_blend": 256})",
       R"({"blend": "slerp", "guidance": 20, "guidance_mode": "full", "steps": 4, "noise_scale": 0, "seed": 9007199254740992})",
       R"({"kv_cache_frames": 64, "sink_frames": 0, "adaptive_sink": -1, "similarity_filter": 1, "mix": 0, "priority": -100})"}) {
    const auto session = model().open_session(settings);
    EXPECT_TRUE(session.ok()) << session.status().message();
  }
}

TEST_F(ApiMisuseTest, WrongLibrariesAreTold) {
  const auto missing = client::Engine::open("/nowhere/libsdv2engine.so");
  EXPECT_EQ(missing.status().code(), SDV2_NOT_FOUND);
  EXPECT_NE(missing.status().message().find("/nowhere/libsdv2engine.so"), std::string::npos);
  const auto other = client::Engine::open("libm.so.6");
  EXPECT_EQ(other.status().code(), SDV2_NOT_FOUND);
  EXPECT_NE(other.status().message().find("sdv2_abi_supported"), std::string::npos);
}

}  // namespace
}  // namespace sdv2
