// SPDX-License-Identifier: LGPL-2.1-or-later
// State changes of every element of the plugin, alone and in a running pipeline.
#include <gtest/gtest.h>

#include "helpers.h"

namespace sdv2::testing {
namespace {

std::vector<std::string> factories() {
  std::vector<std::string> names;
  GList* features = gst_registry_get_feature_list_by_plugin(gst_registry_get(), "sdv2");
  for (GList* item = features; item != nullptr; item = item->next) {
    if (GST_IS_ELEMENT_FACTORY(item->data)) names.emplace_back(GST_OBJECT_NAME(item->data));
  }
  gst_plugin_feature_list_free(features);
  return names;
}

TEST(States, EveryElementCyclesThroughAllStates) {
  ASSERT_FALSE(factories().empty());
  constexpr GstState kUp[] = {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING};
  for (const std::string& name : factories()) {
    GstElement* element = gst_element_factory_make(name.c_str(), nullptr);
    ASSERT_NE(element, nullptr) << name;
    for (const GstState top : kUp) {
      for (int cycle = 0; cycle < 3; ++cycle) {
        EXPECT_EQ(gst_element_set_state(element, top), GST_STATE_CHANGE_SUCCESS) << name;
        EXPECT_EQ(gst_element_set_state(element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS) << name;
      }
    }
    // All steps one by one, down and up again in the middle.
    for (const GstState state :
         {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
          GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL}) {
      EXPECT_EQ(gst_element_set_state(element, state), GST_STATE_CHANGE_SUCCESS) << name;
    }
    gst_object_unref(element);
  }
}

// A whole pipeline until its end; the message that ended it.
GstMessageType run(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, 60 * GST_SECOND,
      static_cast<GstMessageType>(GST_MESSAGE_EOS | static_cast<int>(GST_MESSAGE_ERROR)));
  const GstMessageType type = message != nullptr ? GST_MESSAGE_TYPE(message) : GST_MESSAGE_UNKNOWN;
  if (message != nullptr) gst_message_unref(message);
  gst_object_unref(bus);
  return type;
}

GstElement* make_pipeline(const char* text) {
  if (!have_factory("videotestsrc")) return nullptr;
  return gst_parse_launch(text, nullptr);
}

TEST(States, APipelineRunsAgainAfterReadyAndNull) {
  GstElement* pipeline = make_pipeline(
      "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=192,height=64,framerate=200/1 ! sdv2chunk "
      "leaky=none name=chunk ! sdv2slo "
      "mark=write ! fakesink name=sink sync=false");
  if (pipeline == nullptr) GTEST_SKIP() << "videotestsrc is not installed";
  for (const GstState between : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_NULL}) {
    EXPECT_EQ(run(pipeline), GST_MESSAGE_EOS);
    GstElement* chunk = gst_bin_get_by_name(GST_BIN(pipeline), "chunk");
    GstStructure* stats = nullptr;
    g_object_get(chunk, "stats", &stats, nullptr);
    guint64 out = 0;
    gst_structure_get_uint64(stats, "frames-out", &out);
    EXPECT_EQ(out, 30u);
    gst_structure_free(stats);
    gst_object_unref(chunk);
    EXPECT_EQ(gst_element_set_state(pipeline, between), GST_STATE_CHANGE_SUCCESS);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

TEST(States, SeeksFlushAndGoOn) {
  GstElement* pipeline = make_pipeline(
      "videotestsrc num-buffers=1000 ! video/x-raw,format=I420,width=192,height=64,framerate=50/1 ! "
      "sdv2chunk framerate=20/1 leaky=none ! "
      "sdv2slo ! fakesink sync=false");
  if (pipeline == nullptr) GTEST_SKIP() << "videotestsrc is not installed";
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  gst_element_get_state(pipeline, nullptr, nullptr, GST_CLOCK_TIME_NONE);
  for (guint64 i = 1; i <= 5; ++i) {
    const auto flags =
        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | static_cast<int>(GST_SEEK_FLAG_ACCURATE));
    EXPECT_TRUE(
        gst_element_seek_simple(pipeline, GST_FORMAT_TIME, flags, static_cast<gint64>(i * GST_SECOND)));
    EXPECT_EQ(gst_element_get_state(pipeline, nullptr, nullptr, GST_CLOCK_TIME_NONE),
              GST_STATE_CHANGE_SUCCESS);
  }
  EXPECT_EQ(run(pipeline), GST_MESSAGE_EOS);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

// Stopping must not wait for frames, wherever the stream is.
TEST(States, ALivePipelineStopsAtAnyMoment) {
  GstElement* pipeline = make_pipeline(
      "videotestsrc is-live=true ! video/x-raw,format=I420,width=192,height=64,framerate=500/1 ! sdv2chunk "
      "max-chunks=1 ! sdv2slo interval=1000000 "
      "! fakesink sync=true name=sink");
  if (pipeline == nullptr) GTEST_SKIP() << "videotestsrc is not installed";
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(gst_element_set_state(pipeline, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    if (i % 2 == 0) {
      gst_element_get_state(pipeline, nullptr, nullptr, GST_CLOCK_TIME_NONE);
      GstBus* bus = gst_element_get_bus(pipeline);
      gst_message_unref(
          gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT));  // frames have passed
      gst_object_unref(bus);
    }
    EXPECT_EQ(gst_element_set_state(pipeline, i % 3 == 0 ? GST_STATE_NULL : GST_STATE_READY),
              GST_STATE_CHANGE_SUCCESS);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

}  // namespace
}  // namespace sdv2::testing
