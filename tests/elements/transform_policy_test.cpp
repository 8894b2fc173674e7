// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: late frames, failing chunks and devices, bypass.
#include <nlohmann/json.hpp>
#include <thread>

#include "transform_harness.h"

namespace sdv2::testing {
namespace {

class TransformLate : public TransformTest {
 protected:
  // Chunk 0 has left, chunk 1 (frames 5 to 8) is with the engine when its first frame's time comes.
  void make_late(const char* policy) {
    begin(R"({"pace": "step"})", {{"on-late", policy}}, kRgbCaps);
    set_latency(400 * kMs);
    push(0, 5, 10);
    sdv2_stub_step(-1, 1);
    h().out().wait_for_buffers(5);
    push(5, 9, 20);
    ASSERT_EQ(sdv2_stub_wait_submitted(-1, 2, kWaitMs), 1);
    GstTestClock* clock = gst_harness_get_testclock(h().harness());
    wait_for_timer(clock, 650 * kMs);
    h().set_time(649 * kMs);
    EXPECT_EQ(h().out().buffers().size(), 5u);
    EXPECT_TRUE(gst_test_clock_crank(clock));
    gst_object_unref(clock);
  }
  // Waits until the element's timer for this time is set; one of a chunk that has left may be there before.
  static void wait_for_timer(GstTestClock* clock, GstClockTime time) {
    for (GstClockTime pending = 0; pending != time; std::this_thread::yield()) {
      GstClockID id = nullptr;
      gst_test_clock_wait_for_next_pending_id(clock, &id);
      pending = gst_clock_id_get_time(id);
      gst_clock_id_unref(id);
    }
  }
  void push(guint begin, guint end, guint8 value) {
    for (guint i = begin; i < end; ++i) push_frame(new_frame(value, i * 50 * kMs));
  }
  void expect_qos(int count, const char* reason) {
    for (int i = 0; i < count; ++i) {
      GstMessage* qos = message(GST_MESSAGE_QOS);
      if (qos == nullptr) return;
      EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(qos), "reason"), reason);
      gboolean live = FALSE;
      guint64 timestamp = 0;
      gst_message_parse_qos(qos, &live, nullptr, nullptr, &timestamp, nullptr);
      EXPECT_TRUE(live);
      gst_message_unref(qos);
    }
    EXPECT_EQ(h().count_messages(GST_MESSAGE_QOS), 0u);
  }
};

TEST_F(TransformLate, RepeatsTheLastPicture) {
  make_late("repeat");
  const auto buffers = h().out().wait_for_buffers(9);
  for (size_t i = 5; i < 9; ++i) {
    EXPECT_EQ(first_byte(buffers[i]), 245);
    EXPECT_EQ(GST_BUFFER_PTS(buffers[i]), i * 50 * kMs);
  }
  expect_qos(4, "late");
  EXPECT_EQ(h().stat("late-chunks"), 1);
}

TEST_F(TransformLate, PassesThePicturesThatCame) {
  make_late("passthrough");
  const auto buffers = h().out().wait_for_buffers(9);
  for (size_t i = 5; i < 9; ++i) EXPECT_EQ(first_byte(buffers[i]), 20);
  expect_qos(4, "late");
}

TEST_F(TransformLate, DropsAndGoesOn) {
  make_late("drop");
  expect_qos(4, "late");
  push(9, 13, 30);
  sdv2_stub_step(-1, 2);  // the late chunk, which nobody waits for any more, and the next
  const auto buffers = h().out().wait_for_buffers(9);
  EXPECT_EQ(GST_BUFFER_PTS(buffers[5]), 450 * kMs);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffers[5], GST_BUFFER_FLAG_DISCONT));
  EXPECT_EQ(first_byte(buffers[5]), 225);
}

TEST_F(TransformLate, WaitsByDefault) {
  begin(R"({"pace": "step"})", {}, kRgbCaps);
  set_latency(400 * kMs);
  push(0, 5, 10);
  h().set_time(10000 * kMs);
  ASSERT_EQ(sdv2_stub_wait_submitted(-1, 1, kWaitMs), 1);
  EXPECT_TRUE(h().out().buffers().empty());
  sdv2_stub_step(-1, 1);
  EXPECT_EQ(first_byte(h().out().wait_for_buffers(5)[4]), 245);
}

TEST_F(TransformLate, ChunksThatDownstreamCallsLateAreNotBegun) {
  begin("{}", {{"on-late", "drop"}}, kRgbCaps);
  push(0, 5, 10);
  h().out().wait_for_buffers(5);
  gst_harness_push_upstream_event(h().harness(),
                                  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.0, 200 * kMs, 200 * kMs));
  push(5, 17, 10);  // up to 600 ms nothing is wanted
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(h().out().text(8), "b450 b500 b550 b600 b650 b700 b750 b800 eos");
  EXPECT_EQ(h().count_messages(GST_MESSAGE_QOS), 4u);
}

class TransformQuality : public TransformLate {
 protected:
  // "previous>rung steps show@timestamp in ms" of the next message.
  std::string quality() {
    GstMessage* found = message(GST_MESSAGE_ELEMENT);
    if (found == nullptr) return "";
    const GstStructure* s = gst_message_get_structure(found);
    EXPECT_TRUE(gst_structure_has_name(s, "sdv2-quality"));
    gint rung = -1, previous = -1, steps = -1;
    guint64 timestamp = 0;
    EXPECT_TRUE(gst_structure_get(s, "rung", G_TYPE_INT, &rung, "previous-rung", G_TYPE_INT, &previous,
                                  "steps", G_TYPE_INT, &steps, "timestamp", G_TYPE_UINT64, &timestamp,
                                  nullptr));
    const std::string text = std::to_string(previous) + ">" + std::to_string(rung) + " " +
                             std::to_string(steps) + " " + gst_structure_get_string(s, "show") + "@" +
                             std::to_string(timestamp / kMs);
    gst_message_unref(found);
    return text;
  }
};

TEST_F(TransformQuality, EveryChangeIsToldWithTheFirstFrameThatHasIt) {
  begin(R"({"rungs": [[1, 1, "restyled"], [2, 2, "repeated"], [3, 3, "source"], [4, 0, "restyled"]]})",
        {{"degrade", "steps+repeat+source"}, {"steps", "2"}}, kRgbCaps);
  push(0, 21, 10);
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(quality(), "0>1 2 restyled@250");
  EXPECT_EQ(quality(), "1>2 2 repeated@450");
  EXPECT_EQ(quality(), "2>3 2 source@650");
  EXPECT_EQ(quality(), "3>0 2 restyled@850");
  EXPECT_EQ(h().count_messages(GST_MESSAGE_ELEMENT), 0u);
  EXPECT_EQ(h().stat("frames-transformed"), 13);
  EXPECT_EQ(h().stat("frames-repeated"), 4);
  EXPECT_EQ(h().stat("frames-passed"), 4);
  EXPECT_EQ(h().stat("rung"), 0);
}

TEST_F(TransformQuality, FramesThatWereGivenUpAreQosMessages) {
  begin(R"({"rungs": [[1, 2, "repeated"], [2, 0, "restyled"]]})", {{"degrade", "repeat"}}, kRgbCaps);
  set_latency(400 * kMs);
  push(0, 13, 10);
  h().out().wait_for_buffers(13);
  expect_qos(4, "quality");
}

TEST_F(TransformQuality, WhatTheSimilarityFilterRepeatsIsNoLoss) {
  begin("{}", {{"similarity-filter", "0.9"}}, kRgbCaps);
  push(0, 13, 10);
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(h().count_messages(GST_MESSAGE_QOS), 0u);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_ELEMENT), 0u);
  EXPECT_EQ(h().stat("frames-transformed"), 13);
  EXPECT_EQ(h().stat("skipped-chunks"), 2);
}

TEST_F(TransformQuality, TheTargetLatencyIsTheEnginesDeadline) {
  const auto deadline_in_ms = [&](const char* target) {
    begin(R"({"pace": "step"})", {{"target-latency", target}}, kRgbCaps);
    set_latency(5000 * kMs);
    push(0, 5, 10);
    EXPECT_EQ(sdv2_stub_wait_submitted(-1, 1, kWaitMs), 1);
    char* text = sdv2_stub_session(-1);
    const auto json = nlohmann::json::parse(text);
    sdv2_string_free(text);
    sdv2_stub_step(-1, 1);
    return json["under_way"][0]["deadline_ns"].get<int64_t>() / 1000000 - g_get_monotonic_time() / 1000;
  };
  // The clock stands still; real time has gone on a little.
  const auto pipeline = deadline_in_ms("0");
  EXPECT_LE(pipeline, 5000);
  EXPECT_GT(pipeline, 2000);
  EXPECT_LE(deadline_in_ms("2000000000"), 2000);
  EXPECT_GT(deadline_in_ms("60000000000"), 2000) << "never later than the pipeline shows it";
}

TEST_F(TransformQuality, AStreamThatDoesNotFitIsABusyResource) {
  begin(R"({"fail_session": {"code": "busy", "message": "this would fit: 1 step"}})", {{"target-fps", "30"}});
  EXPECT_EQ(h().push_frames(0, 1), GST_FLOW_ERROR);
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY).find("1 step"),
            std::string::npos);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_ERROR), 0u);
}

class TransformError : public TransformLate {};

TEST_F(TransformError, StopsWithOneError) {
  begin(R"({"fail_chunks": [{"chunk": 1, "code": "internal", "message": "the cause"}]})");
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; flow == GST_FLOW_OK; ++i) flow = h().push_frames(i, 1);
  EXPECT_EQ(flow, GST_FLOW_ERROR);
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED).find("the cause"),
            std::string::npos);
  EXPECT_EQ(h().out().wait_for_buffers(5).size(), 5u);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_ERROR), 0u);
}

TEST_F(TransformError, RepeatsAndWarns) {
  begin(R"({"fail_chunks": [{"chunk": 1, "code": "internal", "message": "the cause"}]})",
        {{"on-error", "repeat"}}, kRgbCaps);
  push(0, 5, 10);
  push(5, 20, 20);
  h().eos();
  h().out().wait_for("eos");
  const auto buffers = h().out().buffers();
  ASSERT_EQ(buffers.size(), 20u);
  EXPECT_EQ(first_byte(buffers[4]), 245);
  EXPECT_EQ(first_byte(buffers[5]), 245);
  EXPECT_EQ(first_byte(buffers[8]), 245);
  EXPECT_EQ(first_byte(buffers[9]), 235);
  error_text(GST_MESSAGE_WARNING, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED);
  EXPECT_EQ(h().stat("failed-chunks"), 1);
}

TEST_F(TransformError, PassesOnWhenTheDeviceHasFailed) {
  begin(R"({"fail_chunks": [{"chunk": 1, "code": "device", "message": "gone"}]})",
        {{"on-error", "passthrough"}}, kRgbCaps);
  push(0, 30, 20);
  h().eos();
  h().out().wait_for("eos");
  const auto buffers = h().out().buffers();
  ASSERT_EQ(buffers.size(), 30u);
  for (size_t i = 0; i < 30; ++i) EXPECT_EQ(first_byte(buffers[i]), i < 5 ? 235 : 20) << i;
  error_text(GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_WARNING), 0u);
}

TEST_F(TransformError, StopsWhenTheDeviceHasFailedUnderWay) {
  begin(R"({"pace": "step"})");
  h().push_frames(0, 9);
  sdv2_stub_kill_devices("gone");
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED).find("gone"),
            std::string::npos);
}

class TransformBypass : public TransformLate {};

TEST_F(TransformBypass, FramesLeaveAsTheyCameAtTheirPlace) {
  begin(R"({"pace": "step"})", {}, kRgbCaps);
  push(0, 2, 10);
  g_object_set(h().element(), "bypass", TRUE, nullptr);
  push(2, 4, 10);
  g_object_set(h().element(), "bypass", FALSE, nullptr);
  push(4, 5, 10);
  ASSERT_EQ(sdv2_stub_wait_submitted(-1, 1, kWaitMs), 1);
  EXPECT_TRUE(h().out().buffers().empty());  // no sooner than the transformed ones
  sdv2_stub_step(-1, 1);
  const auto buffers = h().out().wait_for_buffers(5);
  EXPECT_EQ(first_byte(buffers[1]), 245);
  EXPECT_EQ(first_byte(buffers[2]), 10);
  EXPECT_EQ(first_byte(buffers[3]), 10);
  EXPECT_EQ(first_byte(buffers[4]), 245);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_QOS), 0u);
}

}  // namespace
}  // namespace sdv2::testing
