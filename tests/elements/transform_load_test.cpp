// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: loading, and what can go wrong with it.
#include <gst/gst.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "transform_harness.h"

namespace sdv2::testing {
namespace {

class TransformLoad : public TransformTest {
 protected:
  // An element with a bus of its own, in NULL.
  void make(Properties properties) {
    element_ = gst_element_factory_make("sdv2transform", nullptr);
    for (const auto& [name, value] : properties) gst_util_set_object_arg(G_OBJECT(element_), name, value);
    bus_ = gst_bus_new();
    gst_element_set_bus(element_, bus_);
  }
  GstStateChangeReturn set_state(GstState state) { return gst_element_set_state(element_, state); }
  void TearDown() override {
    if (element_ != nullptr) {
      set_state(GST_STATE_NULL);
      gst_element_set_bus(element_, nullptr);
      gst_object_unref(element_);
      gst_object_unref(bus_);
    }
    TransformTest::TearDown();
  }
  // The next error; "" when there is none within the limit.
  std::string error(GQuark domain, int code) {
    GstMessage* found = gst_bus_timed_pop_filtered(bus_, 10 * GST_SECOND, GST_MESSAGE_ERROR);
    if (found == nullptr) return "";
    GError* error = nullptr;
    gchar* debug = nullptr;
    gst_message_parse_error(found, &error, &debug);
    EXPECT_EQ(error->domain, domain) << error->message;
    EXPECT_EQ(error->code, code) << error->message;
    const std::string text = std::string(error->message) + " | " + debug;
    g_error_free(error);
    g_free(debug);
    gst_message_unref(found);
    return text;
  }
  // Types and percents of all progress messages until one ends the load.
  std::string progress() {
    std::string all;
    GstProgressType type = GST_PROGRESS_TYPE_START;
    while (type == GST_PROGRESS_TYPE_START || type == GST_PROGRESS_TYPE_CONTINUE) {
      GstMessage* found = gst_bus_timed_pop_filtered(bus_, 10 * GST_SECOND, GST_MESSAGE_PROGRESS);
      if (found == nullptr) return all + " (nothing)";
      gchar* code = nullptr;
      gint percent = -1;
      gst_message_parse_progress(found, &type, &code, nullptr);
      gst_structure_get_int(gst_message_get_structure(found), "percent", &percent);
      all += std::string(all.empty() ? "" : " ") + "SCOXE"[type] + std::to_string(percent);
      EXPECT_STREQ(code, "load");
      g_free(code);
      gst_message_unref(found);
    }
    return all;
  }

  GstElement* element_ = nullptr;
  GstBus* bus_ = nullptr;
};

TEST_F(TransformLoad, TellsItsProgress) {
  make({{"model", "random:tiny"}});
  const Stopwatch watch;
  EXPECT_EQ(set_state(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  EXPECT_LT(watch.ms(), 50);
  EXPECT_EQ(progress(), "S0 C0 C25 C50 C75 C100 O100");
}

TEST_F(TransformLoad, DoesNotWaitForTheModel) {
  sdv2_stub_program(R"({"hold_load": true})");
  make({{"model", "random:tiny"}});
  EXPECT_EQ(set_state(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(set_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  EXPECT_NE(progress().find('X'), std::string::npos);  // cancelled
  EXPECT_EQ(gst_bus_pop_filtered(bus_, GST_MESSAGE_ERROR), nullptr);
}

TEST_F(TransformLoad, LoadsAnotherModelWhenItWasChangedInReady) {
  make({{"model", "random:tiny"}});
  set_state(GST_STATE_READY);
  progress();
  g_object_set(element_, "model", "random:1.3b", nullptr);
  set_state(GST_STATE_PAUSED);
  EXPECT_EQ(progress(), "S0 C0 C25 C50 C75 C100 O100");
}

TEST_F(TransformLoad, AMissingModelFailsAtOnce) {
  make({{"model", "/nowhere/model"}});
  EXPECT_EQ(set_state(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const std::string text = error(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  EXPECT_NE(text.find("/nowhere/model"), std::string::npos) << text;
  EXPECT_NE(text.find("SDV2_MODEL"), std::string::npos) << text;
}

TEST_F(TransformLoad, ADamagedModelFileFailsAtOnce) {
  const auto folder = std::filesystem::temp_directory_path() / ("sdv2-" + std::to_string(g_random_int()));
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "model.json") << "{ not json";
  make({{"model", folder.c_str()}});
  EXPECT_EQ(set_state(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const std::string text = error(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ);
  EXPECT_NE(text.find("model.json"), std::string::npos) << text;
  std::filesystem::remove_all(folder);
}

TEST_F(TransformLoad, AMissingEngineFailsAtOnce) {
  make({{"model", "random:tiny"}, {"engine", "/nowhere/libsdv2engine.so"}});
  EXPECT_EQ(set_state(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const std::string text = error(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  EXPECT_NE(text.find("/nowhere/libsdv2engine.so"), std::string::npos) << text;
}

TEST_F(TransformLoad, AnotherFileInPlaceOfTheEngineIsAnError) {
  make({{"model", "random:tiny"}, {"engine", "/proc/self/exe"}});
  EXPECT_EQ(set_state(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  EXPECT_NE(error(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND).find("/proc/self/exe"),
            std::string::npos);
  EXPECT_EQ(progress(), "E0");
}

TEST_F(TransformLoad, AnotherVersionOfTheEngineIsAnError) {
  sdv2_stub_program(R"({"abi_version": 99})");
  make({{"model", "random:tiny"}});
  EXPECT_EQ(set_state(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  EXPECT_NE(error(GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT).find("version"), std::string::npos);
}

TEST_F(TransformLoad, AFailedLoadIsOneErrorAndUpstreamLearnsIt) {
  begin(R"({"fail_load": {"code": "corrupt", "message": "file x: bad header; get it again"}})");
  EXPECT_EQ(h().push_frames(0, 1), GST_FLOW_ERROR);
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ)
                .find("file x: bad header"),
            std::string::npos);
}

TEST_F(TransformLoad, AnEngineThatRefusesTheSettingsIsAnError) {
  begin("{}", {{"kv-cache-frames", "1"}});
  EXPECT_EQ(h().push_frames(0, 1), GST_FLOW_ERROR);
  EXPECT_NE(
      error_text(GST_MESSAGE_ERROR, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS).find("kv_cache_frames"),
      std::string::npos);
}

TEST_F(TransformLoad, FramesAreHeldUntilTheModelIsReady) {
  begin(R"({"hold_load": true})");
  std::thread upstream([&] { h().push_frames(0, 5); });
  sdv2_stub_release_loads();
  upstream.join();
  h().out().wait_for_buffers(5);
  EXPECT_EQ(h().stat("frames-transformed"), 5);
}

TEST_F(TransformLoad, FramesPassWhileLoadingWhenAsked) {
  begin(R"({"hold_load": true})", {{"while-loading", "passthrough"}}, kRgbCaps);
  push_frame(new_frame(10, 0));
  h().out().wait_for_buffers(1);
  EXPECT_EQ(first_byte(h().out().buffers()[0]), 10);
  GstMessage* qos = message(GST_MESSAGE_QOS);
  EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(qos), "reason"), "loading");
  gst_message_unref(qos);
  sdv2_stub_release_loads();
  wait_until_loaded();
  for (guint i = 1; i < 6; ++i) push_frame(new_frame(10, i * 50 * kMs));
  h().out().wait_for_buffers(6);
  EXPECT_EQ(first_byte(h().out().buffers()[5]), 245);
}

TEST_F(TransformLoad, FramesAreDroppedWhileLoadingWhenAsked) {
  begin(R"({"hold_load": true})", {{"while-loading", "drop"}});
  EXPECT_EQ(h().push_frames(0, 2), GST_FLOW_OK);
  for (int i = 0; i < 2; ++i) {
    GstMessage* qos = message(GST_MESSAGE_QOS);
    guint64 dropped = 0;
    gst_message_parse_qos_stats(qos, nullptr, nullptr, &dropped);
    EXPECT_EQ(dropped, static_cast<guint64>(i) + 1);
    gst_message_unref(qos);
  }
  sdv2_stub_release_loads();
  wait_until_loaded();
  h().push_frames(2, 5);
  const auto buffers = h().out().wait_for_buffers(5);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffers[0], GST_BUFFER_FLAG_DISCONT));
  EXPECT_EQ(h().stat("frames-dropped"), 2);
}

}  // namespace
}  // namespace sdv2::testing
