// SPDX-License-Identifier: LGPL-2.1-or-later
// The in-band mark between two sdv2slo elements: pixel formats, times, what cannot carry it.
#include <gtest/gtest.h>

#include "helpers.h"

namespace sdv2::testing {
namespace {

std::string caps_of(const std::string& format, int width = 320, int height = 240) {
  return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=20/1";
}

// A field of the statistics of an element with this name.
double stat_of(ElementHarness& h, const char* name, const char* field) {
  GstElement* element = gst_bin_get_by_name(GST_BIN(h.element()), name);
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  double result = -1;
  if (const GValue* value = gst_structure_get_value(stats, field)) {
    GValue number = G_VALUE_INIT;
    g_value_init(&number, G_TYPE_DOUBLE);
    g_value_transform(value, &number);
    result = g_value_get_double(&number);
  }
  gst_structure_free(stats);
  gst_object_unref(element);
  return result;
}

class MarkFormats : public ::testing::TestWithParam<const char*> {};

TEST_P(MarkFormats, CarryTheMark) {
  ElementHarness h("sdv2slo name=writer mark=write ! sdv2slo name=reader mark=read",
                   caps_of(GetParam()).c_str());
  for (guint64 i = 0; i < 3; ++i) {
    h.set_time(i * 50 * kMs + 7 * GST_SECOND);
    ASSERT_EQ(h.push(i * 50 * kMs), GST_FLOW_OK);
  }
  EXPECT_EQ(stat_of(h, "reader", "mark-latency-count"), 3);
  EXPECT_EQ(stat_of(h, "reader", "mark-latency-max"), 0);
  EXPECT_EQ(stat_of(h, "reader", "marks-missing"), 0);
  EXPECT_EQ(h.count_messages(GST_MESSAGE_WARNING), 0u);
}
INSTANTIATE_TEST_SUITE_P(All, MarkFormats,
                         ::testing::Values("NV12", "I420", "YV12", "NV21", "YUY2", "UYVY", "YVYU", "Y42B",
                                           "Y444", "NV16", "NV24", "AYUV", "GRAY8", "RGB", "BGR", "RGBx",
                                           "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB", "ABGR", "GBR"),
                         [](const auto& parameter) { return std::string(parameter.param); });

class MarkConversion : public ::testing::TestWithParam<const char*> {};

TEST_P(MarkConversion, IsSurvived) {
  if (!have_factory("videoconvertscale")) GTEST_SKIP() << "videoconvertscale is not installed";
  ElementHarness h("sdv2slo name=writer mark=write ! videoconvertscale ! " + std::string(GetParam()) +
                       " ! sdv2slo name=reader mark=read",
                   caps_of("NV12", 832, 480).c_str());
  for (guint64 i = 0; i < 3; ++i) h.push(i * 50 * kMs);
  EXPECT_EQ(stat_of(h, "reader", "mark-latency-count"), 3);
}
INSTANTIATE_TEST_SUITE_P(All, MarkConversion,
                         ::testing::Values("video/x-raw,format=RGB", "video/x-raw,format=BGRx",
                                           "video/x-raw,format=YUY2,colorimetry=bt601",
                                           "video/x-raw,format=I420,colorimetry=(string)1:3:5:1"),
                         [](const auto& parameter) { return std::to_string(parameter.index); });

TEST(Mark, MeasuresTheTimeBetweenTwoMeters) {
  ElementHarness writer("sdv2slo", {{"mark", "write"}}, caps_of("I420").c_str());
  ElementHarness reader("sdv2slo", {{"mark", "read"}, {"target-latency", "60000000"}},
                        caps_of("I420").c_str());
  for (guint64 i = 0; i < 4; ++i) {
    writer.set_time(GST_SECOND + i * 50 * kMs);
    writer.push(i * 50 * kMs);
    GstBuffer* buffer = gst_buffer_ref(writer.out().buffers().back());
    if (i == 2) {
      gst_buffer_unref(buffer);  // lost on the way
      continue;
    }
    reader.set_time(GST_SECOND + i * 50 * kMs + (40 + 10 * i) * kMs);
    if (i == 1) gst_pad_push(reader.harness()->srcpad, gst_buffer_ref(buffer));  // shown twice
    gst_pad_push(reader.harness()->srcpad, buffer);
  }
  EXPECT_EQ(reader.stat("mark-latency-count"), 3);
  EXPECT_EQ(reader.stat("mark-latency-min"), 40e6);
  EXPECT_EQ(reader.stat("mark-latency-max"), 70e6);
  EXPECT_EQ(reader.stat("late-frames"), 1 + 1);  // the last one, and the repeated one by the clock
  EXPECT_EQ(reader.stat("dropped-frames"), 1);
  EXPECT_EQ(reader.stat("marks-missing"), 0);
}

TEST(Mark, RealtimeNeedsNoSharedPipelineClock) {
  ElementHarness h(
      "sdv2slo mark=write mark-clock=realtime ! sdv2slo name=reader mark=read mark-clock=realtime",
      caps_of("I420").c_str());
  h.push(0);
  EXPECT_EQ(stat_of(h, "reader", "mark-latency-count"), 1);
  EXPECT_LT(stat_of(h, "reader", "mark-latency-max"), 60e9);
}

TEST(Mark, LeavesASharedBufferAlone) {
  ElementHarness h("sdv2slo", {{"mark", "write"}}, caps_of("GRAY8").c_str());
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 320 * 240, nullptr);
  gst_buffer_memset(buffer, 0, 99, 320 * 240);
  GstBuffer* kept = gst_buffer_ref(buffer);
  gst_pad_push(h.harness()->srcpad, buffer);
  guint8 pixel = 0;
  gst_buffer_extract(kept, 0, &pixel, 1);
  EXPECT_EQ(pixel, 99);
  gst_buffer_extract(h.out().buffers().at(0), 0, &pixel, 1);
  EXPECT_NE(pixel, 99);
  gst_buffer_unref(kept);
}

TEST(Mark, RespectsStridesOfTheVideoMeta) {
  ElementHarness h("sdv2slo mark=write ! sdv2slo name=reader mark=read", caps_of("NV12").c_str());
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 512 * 400, nullptr);
  gst_buffer_memset(buffer, 0, 50, 512 * 400);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {100, 100 + 512 * 240};
  gint strides[GST_VIDEO_MAX_PLANES] = {512, 512};
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 320, 240, 2,
                                 offsets, strides);
  gst_pad_push(h.harness()->srcpad, buffer);
  EXPECT_EQ(stat_of(h, "reader", "mark-latency-count"), 1);
}

TEST(Mark, PicturesWithoutMarkAreCounted) {
  ElementHarness h("sdv2slo", {{"mark", "read"}}, caps_of("I420").c_str());
  h.push(0);
  EXPECT_EQ(h.stat("marks-missing"), 1);
  EXPECT_EQ(h.stat("mark-latency-count"), 0);
}

TEST(Mark, AFrameWithoutMarkIsNoLoss) {
  ElementHarness writer("sdv2slo", {{"mark", "write"}}, caps_of("I420").c_str());
  ElementHarness reader("sdv2slo", {{"mark", "read"}}, caps_of("I420").c_str());
  for (guint64 i = 0; i < 3; ++i) {
    writer.push(i * 50 * kMs);
    GstBuffer* buffer = gst_buffer_copy_deep(writer.out().buffers().back());
    GST_BUFFER_OFFSET(buffer) = 1000 * i;  // numbers of another kind are not mixed in
    if (i == 1) gst_buffer_memset(buffer, 0, 0, 320 * 32);
    gst_pad_push(reader.harness()->srcpad, buffer);
  }
  EXPECT_EQ(reader.stat("marks-missing"), 1);
  EXPECT_EQ(reader.stat("dropped-frames"), 0);
}

TEST(Mark, DoesNotHideAFrozenPicture) {
  ElementHarness h("sdv2slo mark=write ! sdv2slo name=reader mark=read", caps_of("I420").c_str());
  for (guint64 i = 0; i < 3; ++i) {
    h.set_time(i * 50 * kMs);
    h.push(i * 50 * kMs);
  }
  EXPECT_EQ(stat_of(h, "reader", "frozen-frames"), 2);
}

class MarkWarning : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(MarkWarning, IsPostedOnceWhenTheFormatCannotCarryIt) {
  ElementHarness h("sdv2slo", {{"mark", GetParam().first}}, GetParam().second);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 320 * 240 * 4, nullptr);
  EXPECT_EQ(gst_pad_push(h.harness()->srcpad, buffer), GST_FLOW_OK);
  const auto warnings = h.take_messages(GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings.size(), 1u);
  gchar* details = nullptr;
  GError* warning = nullptr;
  gst_message_parse_warning(warnings[0], &warning, &details);
  EXPECT_TRUE(g_error_matches(warning, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT));
  EXPECT_NE(std::string(details).find("videoconvert"), std::string::npos);
  g_error_free(warning);
  g_free(details);
  gst_message_unref(warnings[0]);
  EXPECT_EQ(h.stat("frames"), 1);
}
INSTANTIATE_TEST_SUITE_P(
    All, MarkWarning,
    ::testing::Values(
        std::pair{"write", "video/x-raw,format=P010_10LE,width=320,height=240,framerate=20/1"},
        std::pair{"read", "video/x-raw,format=v210,width=320,height=240,framerate=20/1"},
        std::pair{"write", "video/x-raw,format=RGB16,width=320,height=240,framerate=20/1"},
        std::pair{"write", "video/x-raw,format=I420,width=159,height=240,framerate=20/1"},
        std::pair{"read", "video/x-raw(memory:GLMemory),format=RGBA,width=320,height=240,framerate=20/1"},
        std::pair{"read", "video/x-h264,stream-format=byte-stream,alignment=au"}),
    [](const auto& parameter) { return std::to_string(parameter.index); });

TEST(Mark, WritingPassesDownstreamsAllocationAnswer) {
  ElementHarness h("sdv2slo", {{"mark", "write"}}, caps_of("I420").c_str());
  gst_harness_add_propose_allocation_meta(h.harness(), GST_VIDEO_META_API_TYPE, nullptr);
  GstCaps* caps = gst_pad_get_current_caps(h.harness()->srcpad);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  EXPECT_TRUE(gst_pad_peer_query(h.harness()->srcpad, query));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  gst_query_unref(query);
  gst_caps_unref(caps);
}

}  // namespace
}  // namespace sdv2::testing
