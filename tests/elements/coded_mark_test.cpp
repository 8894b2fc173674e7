// SPDX-License-Identifier: LGPL-2.1-or-later
// The in-band mark through a real H.264 encoder and decoder at 1 Mbit/s, in one process and between two.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "helpers.h"

namespace sdv2::testing {
namespace {

constexpr int kFrames = 60;

bool have_codec() {
  return have_factory("x264enc") && have_factory("avdec_h264") && have_factory("h264parse") &&
         have_factory("videotestsrc");
}

// Runs a pipeline to its end; false, with a test failure, on an error.
bool run_to_eos(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, 120 * GST_SECOND,
      static_cast<GstMessageType>(GST_MESSAGE_EOS | static_cast<int>(GST_MESSAGE_ERROR)));
  const bool ended = message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  EXPECT_TRUE(ended);
  if (message != nullptr) gst_message_unref(message);
  gst_object_unref(bus);
  return ended;
}

GstStructure* stats_of(GstElement* pipeline, const char* name) {
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  gst_object_unref(element);
  return stats;
}

guint64 count_of(const GstStructure* stats, const char* field) {
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, field, &value)) << field;
  return value;
}

gint64 time_of(const GstStructure* stats, const char* field) {
  gint64 value = 0;
  EXPECT_TRUE(gst_structure_get_int64(stats, field, &value)) << field;
  return value;
}

struct Coding {
  const char* name;
  const char* source;   // of videotestsrc
  const char* encoder;  // of x264enc
};

class CodedMark : public ::testing::TestWithParam<Coding> {};

// Noise that fills the picture leaves no bits for anything: the hardest case.
TEST_P(CodedMark, IsReadFromEveryFrameAtOneMegabitPerSecond) {
  if (!have_codec()) GTEST_SKIP() << "x264enc, avdec_h264 or h264parse is not installed";
  const std::string text =
      std::string("videotestsrc num-buffers=") + std::to_string(kFrames) + " " + GetParam().source +
      " ! video/x-raw,format=I420,width=832,height=480,framerate=30/1 ! sdv2slo mark=write "
      "mark-clock=realtime ! "
      "x264enc bitrate=1000 " +
      GetParam().encoder +
      " ! h264parse ! avdec_h264 ! sdv2slo name=reader mark=read mark-clock=realtime ! fakesink sync=false";
  GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
  ASSERT_NE(pipeline, nullptr);
  if (run_to_eos(pipeline)) {
    GstStructure* stats = stats_of(pipeline, "reader");
    EXPECT_EQ(count_of(stats, "frames"), static_cast<guint64>(kFrames));
    EXPECT_EQ(count_of(stats, "marks-missing"), 0u);
    EXPECT_GE(count_of(stats, "mark-latency-count"),
              static_cast<guint64>(kFrames) - 5);  // without what prerolled
    EXPECT_EQ(count_of(stats, "dropped-frames"), 0u);
    EXPECT_GE(time_of(stats, "mark-latency-min"), 0);
    EXPECT_LT(time_of(stats, "mark-latency-max"), 60 * static_cast<gint64>(GST_SECOND));
    gst_structure_free(stats);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
INSTANTIATE_TEST_SUITE_P(
    All, CodedMark,
    ::testing::Values(Coding{"bars", "", "tune=zerolatency speed-preset=veryfast"},
                      Coding{"noise", "pattern=snow", "tune=zerolatency speed-preset=veryfast"},
                      Coding{"noise_fastest", "pattern=snow", "tune=zerolatency speed-preset=ultrafast"},
                      Coding{"noise_with_b_frames", "pattern=snow", "bframes=3 speed-preset=faster"},
                      Coding{"motion", "pattern=zone-plate kx2=20 ky2=20 kt=5",
                             "tune=zerolatency speed-preset=veryfast key-int-max=60"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

// The writer is a process of its own and pipes H.264 to the reader; both pipelines run on the system's
// monotonic clock.
TEST(CodedMarkProcesses, ShareTheSystemClock) {
  if (!have_codec()) GTEST_SKIP() << "x264enc, avdec_h264 or h264parse is not installed";
  if (std::system("command -v gst-launch-1.0 >/dev/null") != 0)
    GTEST_SKIP() << "gst-launch-1.0 is not installed";
  FILE* writer = popen(
      "GST_TRACERS= exec gst-launch-1.0 -q videotestsrc is-live=true num-buffers=40 ! "
      "video/x-raw,format=I420,width=320,height=240,framerate=40/1 ! sdv2slo mark=write ! "
      "x264enc bitrate=1000 tune=zerolatency speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream "
      "! fdsink fd=3 3>&1 >/dev/null",
      "r");
  ASSERT_NE(writer, nullptr);
  const std::string text = "fdsrc fd=" + std::to_string(fileno(writer)) +
                           " do-timestamp=true ! h264parse ! avdec_h264 ! sdv2slo name=reader mark=read ! "
                           "fakesink sync=false async=false";
  GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
  ASSERT_NE(pipeline, nullptr);
  if (run_to_eos(pipeline)) {
    GstStructure* stats = stats_of(pipeline, "reader");
    EXPECT_EQ(count_of(stats, "frames"), 40u);
    EXPECT_EQ(count_of(stats, "dropped-frames"), 0u);
    ASSERT_GE(count_of(stats, "mark-latency-count"), 30u);
    EXPECT_GT(time_of(stats, "mark-latency-min"), 0);
    EXPECT_LT(time_of(stats, "mark-latency-max"), 60 * static_cast<gint64>(GST_SECOND));
    gst_structure_free(stats);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  pclose(writer);
}

}  // namespace
}  // namespace sdv2::testing
