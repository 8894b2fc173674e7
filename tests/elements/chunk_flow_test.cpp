// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk as a queue: flush, flow returns, latency, state changes.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "helpers.h"
#include "sdv2/sdv2meta.h"

namespace sdv2::testing {
namespace {

Sdv2ChunkInfo info_of(GstBuffer* buffer) {
  Sdv2ChunkInfo info{};
  EXPECT_TRUE(sdv2_buffer_get_chunk_info(buffer, &info));
  return info;
}

// Far above what is needed, far below a hang: loaded machines must not fail.
constexpr auto kBound = std::chrono::seconds(5);

class Stopwatch {
 public:
  auto elapsed() const { return std::chrono::steady_clock::now() - begin_; }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void send_segment(ElementHarness& h) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  h.push_event(gst_event_new_segment(&segment));
}

TEST(ChunkFlush, EmptiesAFullQueueAndBeginsASession) {
  ElementHarness h("sdv2chunk", {{"max-chunks", "4"}});
  h.push_frames(0, 6);
  h.out().wait_for_buffers(6);
  h.out().hold();
  h.push_frames(6, 8);
  h.out().wait_until_held();
  const Stopwatch watch;
  h.flush();
  EXPECT_LT(watch.elapsed(), kBound);
  EXPECT_EQ(h.stat("frames-waiting"), 0);
  h.out().release();
  send_segment(h);
  h.push_frames(40, 1);
  const auto buffers = h.out().wait_for_buffers(7);
  ASSERT_EQ(buffers.size(), 7u);  // nothing of before came after
  EXPECT_EQ(GST_BUFFER_PTS(buffers[6]), 2000 * kMs);
  EXPECT_TRUE(info_of(buffers[6]).first);
  EXPECT_EQ(info_of(buffers[6]).index, 0u);
}

TEST(ChunkFlush, WakesAnUpstreamThatWaits) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}, {"max-chunks", "1"}});
  h.out().hold();
  h.push_frames(0, 1);
  h.out().wait_until_held();
  GstFlowReturn flow = GST_FLOW_OK;
  std::thread upstream([&] { flow = h.push_frames(1, 100); });
  h.push_event(gst_event_new_flush_start());
  upstream.join();
  EXPECT_EQ(flow, GST_FLOW_FLUSHING);
  h.push_event(gst_event_new_flush_stop(TRUE));
}

TEST(ChunkFlush, WakesASerializedQuery) {
  ElementHarness h("sdv2chunk", {});
  h.out().hold();
  h.push_frames(0, 1);
  h.out().wait_until_held();
  gboolean answered = TRUE;
  std::thread upstream([&] {
    GstQuery* query = gst_query_new_drain();
    answered = gst_pad_peer_query(h.harness()->srcpad, query);
    gst_query_unref(query);
  });
  h.push_event(gst_event_new_flush_start());
  upstream.join();
  EXPECT_FALSE(answered);
  h.push_event(gst_event_new_flush_stop(TRUE));
}

TEST(ChunkFlush, KeepsStickyEventsThatHadNotLeft) {
  ElementHarness h("sdv2chunk", {});
  h.out().hold();
  h.push_frames(0, 1);
  h.out().wait_until_held();
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=I420,width=32,height=32,framerate=20/1");
  h.push_event(gst_event_new_caps(caps));
  h.flush();
  h.out().release();
  send_segment(h);
  h.push_frames(0, 1);
  h.out().wait_for_buffers(1);
  GstCaps* current = gst_pad_get_current_caps(h.harness()->sinkpad);
  EXPECT_TRUE(gst_caps_is_equal(current, caps));
  gst_caps_unref(current);
  gst_caps_unref(caps);
}

TEST(ChunkFlush, TwiceAndThenEos) {
  ElementHarness h("sdv2chunk", {});
  h.push_frames(0, 3);
  h.flush();
  h.flush();
  send_segment(h);
  EXPECT_TRUE(h.eos());
  h.out().wait_for("eos");
}

// Stops the source pad's task right before it pushes a buffer, until FLUSH_STOP has passed it. Where
// FLUSH_STOP waits for the task instead, the task goes on after a while.
class StoppedTask {
 public:
  explicit StoppedTask(GstPad* pad) {
    const auto buffers =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | static_cast<int>(GST_PAD_PROBE_TYPE_BUFFER));
    gst_pad_add_probe(pad, buffers, on_buffer, this, nullptr);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_FLUSH, on_flush, this, nullptr);
  }
  void wait_until_stopped() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_; });
  }

 private:
  static GstPadProbeReturn on_buffer(GstPad*, GstPadProbeInfo*, gpointer self) {
    return static_cast<StoppedTask*>(self)->stop();
  }
  static GstPadProbeReturn on_flush(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto* task = static_cast<StoppedTask*>(self);
    const std::lock_guard lock(task->mutex_);
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP) task->passed_ = true;
    task->changed_.notify_all();
    return GST_PAD_PROBE_OK;
  }
  GstPadProbeReturn stop() {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
    const auto limit = std::chrono::system_clock::now() + std::chrono::milliseconds(100);
    changed_.wait_until(lock, limit, [this] { return passed_; });
    return GST_PAD_PROBE_PASS;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  bool passed_ = false;
};

// A FLUSH_STOP alone is a whole flush.
TEST(ChunkFlush, EndsAfterTheTasksTurn) {
  for (const bool alone : {false, true}) {
    ElementHarness h("sdv2chunk", {});
    StoppedTask task(h.src());
    h.push_frames(0, 1);
    task.wait_until_stopped();
    if (!alone) h.push_event(gst_event_new_flush_start());
    h.push_event(gst_event_new_flush_stop(TRUE));
    send_segment(h);
    h.eos();
    h.out().wait_for("eos");
    EXPECT_EQ(h.out().text(3), "flush-start flush-stop segment eos");
  }
}

TEST(ChunkFlush, ClearsEos) {
  ElementHarness h("sdv2chunk", {});
  h.eos();
  h.out().wait_for("eos");
  EXPECT_EQ(h.push_frames(0, 1), GST_FLOW_EOS);
  h.flush();
  send_segment(h);
  EXPECT_EQ(h.push_frames(0, 1), GST_FLOW_OK);
  h.out().wait_for_buffers(1);
}

TEST(ChunkFlow, ANewStreamFollowsEos) {
  ElementHarness h("sdv2chunk", {});
  h.push_frames(0, 1);
  h.eos();
  h.out().wait_for("eos");
  h.push_event(gst_event_new_stream_start("next"));
  send_segment(h);
  EXPECT_EQ(h.push_frames(1, 1), GST_FLOW_OK);
  h.out().wait_for_buffers(2);
}

TEST(ChunkFlow, ANewStreamMayFollowBeforeEosHasLeft) {
  ElementHarness h("sdv2chunk", {});
  h.out().hold();
  h.push_frames(0, 1);
  h.out().wait_until_held();
  h.eos();
  h.push_event(gst_event_new_stream_start("next"));
  send_segment(h);
  EXPECT_EQ(h.push_frames(1, 1), GST_FLOW_OK);
  h.out().release();
  h.out().wait_for_buffers(2);
  EXPECT_EQ(h.out().text(3), "b0 sdv2-chunk-end eos stream-start segment b50");
}

TEST(ChunkFlow, DownstreamEosReachesUpstreamUntilSomethingNewBegins) {
  ElementHarness h("sdv2chunk", {});
  h.out().set_flow(GST_FLOW_EOS);
  h.push_frames(0, 1);
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 1; flow == GST_FLOW_OK; ++i) flow = h.push_frames(i, 1);
  EXPECT_EQ(flow, GST_FLOW_EOS);
  h.out().set_flow(GST_FLOW_OK);
  send_segment(h);
  EXPECT_EQ(h.push_frames(9, 1), GST_FLOW_OK);
  h.out().wait_for("b450");
}

TEST(ChunkFlow, DownstreamErrorsReachUpstream) {
  ElementHarness h("sdv2chunk", {});
  h.out().set_flow(GST_FLOW_NOT_NEGOTIATED);
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; flow == GST_FLOW_OK; ++i) flow = h.push_frames(i, 1);
  EXPECT_EQ(flow, GST_FLOW_NOT_NEGOTIATED);
  EXPECT_FALSE(h.eos());
  GstMessage* error = h.wait_for_message(GST_MESSAGE_ERROR);
  ASSERT_NE(error, nullptr);
  gst_message_unref(error);
}

TEST(ChunkFlow, AnErrorAfterEosIsPosted) {
  ElementHarness h("sdv2chunk", {});
  h.out().hold();
  h.push_frames(0, 1);
  h.out().wait_until_held();
  EXPECT_TRUE(h.eos());
  h.out().set_flow(GST_FLOW_ERROR);
  h.out().release();
  GstMessage* error = h.wait_for_message(GST_MESSAGE_ERROR);
  ASSERT_NE(error, nullptr);
  gst_message_unref(error);
  h.out().wait_for("eos");
}

TEST(ChunkFlow, NotLinkedWaitsForReconfigure) {
  ElementHarness h("sdv2chunk", {});
  h.out().set_flow(GST_FLOW_NOT_LINKED);
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; flow == GST_FLOW_OK; ++i) flow = h.push_frames(i, 1);
  EXPECT_EQ(flow, GST_FLOW_NOT_LINKED);
  h.out().set_flow(GST_FLOW_OK);
  gst_harness_push_upstream_event(h.harness(), gst_event_new_reconfigure());
  EXPECT_EQ(h.push_frames(50, 1), GST_FLOW_OK);
  h.out().wait_for("b2500");
}

struct Latency {
  gboolean live;
  GstClockTime min;
  GstClockTime max;
};

Latency ask(ElementHarness& h) {
  Latency latency{};
  GstQuery* query = gst_query_new_latency();
  EXPECT_TRUE(gst_pad_peer_query(h.harness()->sinkpad, query));
  gst_query_parse_latency(query, &latency.live, &latency.min, &latency.max);
  gst_query_unref(query);
  return latency;
}

// What upstream answers; the pad's query function has no closure.
struct UpstreamLatency {
  GstClockTime min = 0;
  GstClockTime max = 0;
};
UpstreamLatency upstream_latency;

void set_upstream_latency(ElementHarness& h, GstClockTime min, GstClockTime max) {
  upstream_latency = {min, max};
  gst_pad_set_query_function(h.harness()->srcpad,
                             [](GstPad* pad, GstObject* parent, GstQuery* query) -> gboolean {
                               if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
                                 return gst_pad_query_default(pad, parent, query);
                               gst_query_set_latency(query, TRUE, upstream_latency.min, upstream_latency.max);
                               return TRUE;
                             });
}

TEST(ChunkLatency, ALeakyQueueLimitsTheMaximum) {
  ElementHarness h("sdv2chunk", {{"max-chunks", "2"}});
  set_upstream_latency(h, 50 * kMs, GST_CLOCK_TIME_NONE);
  Latency latency = ask(h);
  EXPECT_TRUE(latency.live);
  EXPECT_EQ(latency.min, 50 * kMs);
  EXPECT_EQ(latency.max, 400 * kMs);
}

TEST(ChunkLatency, ASmallerUpstreamMaximumStays) {
  ElementHarness h("sdv2chunk", {});
  set_upstream_latency(h, 50 * kMs, 300 * kMs);
  EXPECT_EQ(ask(h).max, 300 * kMs);
}

TEST(ChunkLatency, TheMaximumIsNeverBelowTheMinimum) {
  ElementHarness h("sdv2chunk", {});
  set_upstream_latency(h, 900 * kMs, GST_CLOCK_TIME_NONE);
  EXPECT_EQ(ask(h).min, 900 * kMs);
  EXPECT_EQ(ask(h).max, 900 * kMs);
}

TEST(ChunkLatency, AWaitingQueueAddsToTheMaximum) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  set_upstream_latency(h, 50 * kMs, 300 * kMs);
  EXPECT_EQ(ask(h).min, 50 * kMs);
  EXPECT_EQ(ask(h).max, 700 * kMs);
}

TEST(ChunkLatency, NoneStaysNone) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  set_upstream_latency(h, 0, GST_CLOCK_TIME_NONE);
  EXPECT_EQ(ask(h).max, GST_CLOCK_TIME_NONE);
}

TEST(ChunkLatency, WithoutAFrameRateUpstreamsAnswerStands) {
  ElementHarness h("sdv2chunk", {}, "video/x-raw,format=I420,width=16,height=16,framerate=0/1");
  set_upstream_latency(h, 10 * kMs, 900 * kMs);
  EXPECT_EQ(ask(h).min, 10 * kMs);
  EXPECT_EQ(ask(h).max, 900 * kMs);
  h.push_frames(0, 3);
  h.out().wait_for_buffers(3);
}

TEST(ChunkLatency, FrameRateAdaptionAddsHalfAFrame) {
  ElementHarness h("sdv2chunk", {{"framerate", "10/1"}});
  set_upstream_latency(h, 10 * kMs, GST_CLOCK_TIME_NONE);
  EXPECT_EQ(ask(h).min, 60 * kMs);
  EXPECT_EQ(ask(h).max, 800 * kMs);
}

TEST(ChunkLatency, AChangedAnswerIsAnnounced) {
  ElementHarness h("sdv2chunk", {});
  EXPECT_EQ(h.count_messages(GST_MESSAGE_LATENCY), 1u);
  const auto send_caps = [&](const char* text) {
    GstCaps* caps = gst_caps_from_string(text);
    h.push_event(gst_event_new_caps(caps));
    gst_caps_unref(caps);
  };
  send_caps("video/x-raw,format=NV12,width=16,height=16,framerate=20/1");
  EXPECT_EQ(h.count_messages(GST_MESSAGE_LATENCY), 0u);
  send_caps("video/x-raw,format=NV12,width=16,height=16,framerate=25/1");
  EXPECT_EQ(h.count_messages(GST_MESSAGE_LATENCY), 1u);
}

TEST(ChunkState, StopsWhileFullAndBlocked) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}, {"max-chunks", "1"}});
  gst_pad_add_probe(
      h.src(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | static_cast<int>(GST_PAD_PROBE_TYPE_BUFFER)),
      [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  GstFlowReturn flow = GST_FLOW_OK;
  std::thread upstream([&] { flow = h.push_frames(0, 100); });
  const Stopwatch watch;
  EXPECT_EQ(gst_element_set_state(h.element(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  EXPECT_LT(watch.elapsed(), kBound);
  upstream.join();
  EXPECT_EQ(flow, GST_FLOW_FLUSHING);
}

TEST(ChunkState, IsAsNewAfterNull) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 7);
  h.out().wait_for_buffers(7);
  gst_element_set_state(h.element(), GST_STATE_NULL);
  gst_element_set_state(h.element(), GST_STATE_PLAYING);
  gst_pad_push_event(h.harness()->srcpad, gst_event_new_stream_start("again"));
  GstCaps* caps = gst_caps_from_string(kCaps);
  h.push_event(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  send_segment(h);
  h.push_frames(0, 1);
  const auto buffers = h.out().wait_for_buffers(8);
  EXPECT_EQ(info_of(buffers[7]).chunk, 0u);
  EXPECT_EQ(info_of(buffers[7]).frame, 0u);
  EXPECT_EQ(h.stat("frames-in"), 1);
}

TEST(ChunkState, FinalizesWithoutEverLeavingNull) {
  GstElement* element = gst_element_factory_make("sdv2chunk", nullptr);
  gst_object_unref(element);
}

TEST(ChunkState, StopsWhileATimeOutIsArmed) {
  ElementHarness h("sdv2chunk", {});
  h.push_frames(0, 1);
  gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
  gst_element_set_state(h.element(), GST_STATE_PAUSED);
  GstTestClock* clock = gst_harness_get_testclock(h.harness());
  EXPECT_EQ(gst_test_clock_peek_id_count(clock), 0u);
  gst_element_set_state(h.element(), GST_STATE_PLAYING);
  EXPECT_EQ(gst_test_clock_peek_id_count(clock), 1u);
  gst_object_unref(clock);
}

}  // namespace
}  // namespace sdv2::testing
