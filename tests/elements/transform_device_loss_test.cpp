// SPDX-License-Identifier: LGPL-2.1-or-later
// on-device-loss: what the stream does when a device has failed that the model runs on.
#include <gtest/gtest.h>

#include <string>

#include "transform_harness.h"

namespace sdv2::testing {
namespace {

constexpr int kTransformed = 255 - 20, kOther = 255 - 30, kLater = 255 - 40;

class TransformDeviceLoss : public TransformTest {
 protected:
  void begin_on(const char* devices, const char* program = "{}", const char* on_error = "stop") {
    begin(program, {{"devices", devices}, {"on-device-loss", "replan"}, {"on-error", on_error}}, kRgbCaps);
    wait_until_loaded();
    set_latency(1000 * kMs);  // a live stream
  }
  void push(guint begin, guint end, guint8 value) {
    for (guint i = begin; i < end; ++i)
      EXPECT_EQ(push_frame(new_frame(value, i * 50 * kMs)), GST_FLOW_OK) << i;
  }
  void expect_bytes(guint begin, guint end, int value) {
    const auto buffers = h().out().wait_for_buffers(end);
    ASSERT_GE(buffers.size(), end);
    for (guint i = begin; i < end; ++i) {
      EXPECT_EQ(first_byte(buffers[i]), value) << i;
      EXPECT_EQ(GST_BUFFER_PTS(buffers[i]), i * 50 * kMs);
    }
  }
  void expect_warning(const char* cause) {
    EXPECT_NE(error_text(GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED).find(cause),
              std::string::npos);
  }
  // After five frames; the sixth repeats a picture. The load that follows waits for sdv2_stub_release_loads.
  void lose_a_device() {
    push(0, 5, 20);
    expect_bytes(0, 5, kTransformed);
    sdv2_stub_program(R"({"hold_load": true})");
    sdv2_stub_kill_devices("gone");
    push(5, 6, 30);
    expect_bytes(5, 6, kTransformed);
    expect_warning("gone");
  }
  void expect_loading_on(const char* devices) {
    GstMessage* progress = message(GST_MESSAGE_PROGRESS);
    gchar* text = nullptr;
    gst_message_parse_progress(progress, nullptr, nullptr, &text);
    EXPECT_NE(std::string(text).find(devices), std::string::npos) << text;
    g_free(text);
    gst_message_unref(progress);
  }
};

TEST_F(TransformDeviceLoss, GoesOnWithTheDevicesThatAreLeft) {
  begin_on("cuda:0,cuda:1,cuda:2");
  lose_a_device();
  push(6, 12, 30);
  expect_bytes(6, 12, kTransformed);  // repeated
  expect_loading_on("cuda:0,cuda:1");
  sdv2_stub_release_loads();
  wait_until_loaded();
  push(12, 21, 40);
  expect_bytes(12, 21, kLater);
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(h().out().buffers().size(), 21u);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_ERROR), 0u);
  EXPECT_EQ(h().stat("frames-repeated"), 7);
  EXPECT_EQ(sdv2_stub_count().sessions, 1);
  EXPECT_EQ(sdv2_stub_count().models, 1);
}

TEST_F(TransformDeviceLoss, AgainAndAgainWhileDevicesAreLeft) {
  begin_on("cuda:0,cuda:1,cuda:2", "{}", "passthrough");
  guint frame = 0;
  for (const char* left : {"cuda:0,cuda:1", "cuda:0"}) {
    push(frame, frame + 5, 20);
    expect_bytes(frame, frame + 5, kTransformed);
    sdv2_stub_kill_devices("gone");
    push(frame + 5, frame + 6, 30);
    expect_bytes(frame + 5, frame + 6, 30);
    frame += 6;
    expect_warning("gone");
    expect_loading_on(left);
    wait_until_loaded();
  }
  push(frame, frame + 5, 20);
  expect_bytes(frame, frame + 5, kTransformed);
  sdv2_stub_kill_devices("gone");
  push(frame + 5, frame + 9, 30);
  expect_bytes(frame + 5, frame + 9, 30);
  expect_warning("gone");
  EXPECT_EQ(h().count_messages(GST_MESSAGE_PROGRESS), 0u);
}

TEST_F(TransformDeviceLoss, WhatIsUnderWayIsRepeatedAndWhatIsFinishedIsShown) {
  begin_on("cuda:0,cuda:1", R"({"pace": "step"})");
  push(0, 13, 20);
  ASSERT_EQ(sdv2_stub_wait_submitted(-1, 3, kWaitMs), 1);
  sdv2_stub_step(-1, 1);
  expect_bytes(0, 5, kTransformed);
  sdv2_stub_program("{}");
  sdv2_stub_kill_devices("gone");
  expect_bytes(5, 13, kTransformed);
  expect_warning("gone");
  expect_loading_on("cuda:0");
  wait_until_loaded();
  push(13, 18, 30);
  expect_bytes(13, 18, kOther);
  EXPECT_EQ(h().stat("frames-repeated"), 8);
}

TEST_F(TransformDeviceLoss, APromptThatWasSetMeanwhileHoldsInTheNewSession) {
  begin_on("cuda:0,cuda:1");
  lose_a_device();
  g_object_set(h().element(), "prompt", "another", nullptr);
  sdv2_stub_release_loads();
  wait_until_loaded();
  push(6, 11, 20);
  const auto buffers = h().out().wait_for_buffers(11);
  EXPECT_NE(first_byte(buffers[6]), kTransformed);
}

TEST_F(TransformDeviceLoss, AFlushDoesNotEndIt) {
  begin_on("cuda:0,cuda:1");
  lose_a_device();
  h().push_event(gst_event_new_flush_start());
  h().push_event(gst_event_new_flush_stop(TRUE));
  send_segment();
  sdv2_stub_release_loads();
  wait_until_loaded();
  push(6, 11, 40);
  const auto buffers = h().out().wait_for_buffers(11);
  EXPECT_EQ(first_byte(buffers.back()), kLater);
}

TEST_F(TransformDeviceLoss, AStreamThatIsNotLiveWaits) {
  begin(R"({"load_ms": 50})", {{"devices", "cuda:0,cuda:1"}, {"on-device-loss", "replan"}}, kRgbCaps);
  gst_harness_set_live(h().harness(), FALSE);
  wait_until_loaded();
  set_latency(0);
  push(0, 7, 20);
  expect_bytes(0, 5, kTransformed);
  sdv2_stub_kill_devices("gone");
  push(7, 13, 30);
  expect_bytes(5, 8, kTransformed);  // the chunk that is lost
  expect_bytes(8, 13, kOther);
}

TEST_F(TransformDeviceLoss, TheElementBeginsWithAllDevicesAgain) {
  begin_on("cuda:0,cuda:1");
  push(0, 5, 20);
  sdv2_stub_kill_devices("gone");
  push(5, 6, 30);
  expect_loading_on("cuda:0");
  wait_until_loaded();
  gst_element_set_state(h().element(), GST_STATE_READY);
  gst_element_set_state(h().element(), GST_STATE_PLAYING);
  expect_loading_on("Loading the model");
  wait_until_loaded();
  gst_element_set_state(h().element(), GST_STATE_READY);
}

TEST_F(TransformDeviceLoss, StopsWithAnErrorWhenTheLoadFails) {
  begin_on("cuda:0,cuda:1");
  push(0, 5, 20);
  ASSERT_EQ(1, sdv2_stub_program(R"({"fail_load": {"code": "out of memory", "message": "too small"}})"));
  sdv2_stub_kill_devices("gone");
  push(5, 6, 30);
  expect_warning("gone");
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED)
                .find("on the devices that are left"),
            std::string::npos);
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 6; flow == GST_FLOW_OK; ++i) flow = push_frame(new_frame(30, i * 50 * kMs));
  EXPECT_EQ(flow, GST_FLOW_ERROR);
}

TEST_F(TransformDeviceLoss, StopsWithAnErrorWhenNoOtherDeviceIsThere) {
  begin_on("cuda:0");
  push(0, 5, 20);
  sdv2_stub_kill_devices("gone");
  h().push_frames(5, 1);
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED).find("gone"),
            std::string::npos);
}

}  // namespace
}  // namespace sdv2::testing
