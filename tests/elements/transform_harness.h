// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform in a harness with the stub engine, which starts each test afresh.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "helpers.h"
#include "stub/stub_control.h"

namespace sdv2::testing {

inline constexpr const char* kRgbCaps = "video/x-raw,format=RGB,width=16,height=16,framerate=20/1";

// Far above what is needed, far below a hang: loaded machines must not fail.
inline constexpr int kWaitMs = 20000;

class Stopwatch {
 public:
  double ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class TransformTest : public ::testing::Test {
 protected:
  void SetUp() override { sdv2_stub_reset(); }
  void TearDown() override {
    harness_.reset();
    const sdv2_stub_counts counts = sdv2_stub_count();
    EXPECT_EQ(counts.sessions, 0);
    EXPECT_EQ(counts.models, 0);
    EXPECT_EQ(counts.statuses_and_strings, 0);
  }

  // A playing element; `program` is the stub's. The model is random:tiny.
  ElementHarness& begin(const char* program, Properties properties = {}, const char* caps = kCaps) {
    EXPECT_EQ(sdv2_stub_program(program), 1);
    harness_ = std::make_unique<ElementHarness>("sdv2transform", properties, caps);
    return *harness_;
  }
  ElementHarness& h() { return *harness_; }

  void send_caps(const char* text) {
    GstCaps* caps = gst_caps_from_string(text);
    h().push_event(gst_event_new_caps(caps));
    gst_caps_unref(caps);
  }
  void send_segment(GstClockTime start = 0) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.time = segment.position = start;
    h().push_event(gst_event_new_segment(&segment));
  }
  // Tells the element the pipeline's latency, as a sink does; before it, asks for it, as a pipeline does.
  void set_latency(GstClockTime latency) {
    GstQuery* query = gst_query_new_latency();
    EXPECT_TRUE(gst_pad_peer_query(h().harness()->sinkpad, query));
    gst_query_unref(query);
    EXPECT_TRUE(gst_harness_push_upstream_event(h().harness(), gst_event_new_latency(latency)));
  }

  // A frame of one colour.
  GstBuffer* new_frame(guint8 value, GstClockTime time) {
    GstCaps* caps = gst_pad_get_current_caps(h().harness()->srcpad);
    GstVideoInfo info;
    gst_video_info_from_caps(&info, caps);
    gst_caps_unref(caps);
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, info.size, nullptr);
    gst_buffer_memset(buffer, 0, value, info.size);
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DURATION(buffer) = 50 * kMs;
    return buffer;
  }
  GstFlowReturn push_frame(GstBuffer* buffer) { return gst_pad_push(h().harness()->srcpad, buffer); }

  // The first byte of a buffer.
  static int first_byte(GstBuffer* buffer) {
    guint8 byte = 0;
    EXPECT_EQ(gst_buffer_extract(buffer, 0, &byte, 1), 1u);
    return byte;
  }

  // The next message of this type, checked to be there; the caller owns it.
  GstMessage* message(GstMessageType type) {
    GstMessage* found = h().wait_for_message(type);
    EXPECT_NE(found, nullptr) << "no message of type " << gst_message_type_get_name(type);
    return found;
  }
  // The text and debug string of the next error or warning.
  std::string error_text(GstMessageType type, GQuark domain, int code) {
    GstMessage* found = message(type);
    if (found == nullptr) return "";
    GError* error = nullptr;
    gchar* debug = nullptr;
    if (type == GST_MESSAGE_ERROR) {
      gst_message_parse_error(found, &error, &debug);
    } else {
      gst_message_parse_warning(found, &error, &debug);
    }
    EXPECT_EQ(error->domain, domain) << error->message;
    EXPECT_EQ(error->code, code) << error->message;
    std::string text = std::string(error->message) + " | " + (debug != nullptr ? debug : "");
    g_error_free(error);
    g_free(debug);
    gst_message_unref(found);
    return text;
  }
  void wait_until_loaded() {
    GstProgressType type = GST_PROGRESS_TYPE_START;
    while (type != GST_PROGRESS_TYPE_COMPLETE && type != GST_PROGRESS_TYPE_ERROR) {
      GstMessage* progress = message(GST_MESSAGE_PROGRESS);
      if (progress == nullptr) return;
      gst_message_parse_progress(progress, &type, nullptr, nullptr);
      gst_message_unref(progress);
    }
  }

 private:
  std::unique_ptr<ElementHarness> harness_;
};

}  // namespace sdv2::testing
