// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2slo: what it measures in a stream, with a test clock; that buffers pass as they are and that nothing is
// allocated for them.
#include <gtest/gtest.h>

#include <cstdlib>

#include "helpers.h"
#include "sdv2/sdv2meta.h"

#if !defined(SDV2_SANITIZE)
// Counts this thread's allocations. Sanitizers have their own malloc.
namespace {
thread_local size_t allocations = 0;
}
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
}
#endif

namespace sdv2::testing {
namespace {

constexpr const char* kLarge = "video/x-raw,format=I420,width=320,height=240,framerate=20/1";

TEST(Slo, PassesBuffersUntouched) {
  ElementHarness h("sdv2slo", {});
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 384, nullptr);
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);
  GstBuffer* kept = gst_buffer_ref(buffer);
  gst_pad_push(h.harness()->srcpad, buffer);
  EXPECT_EQ(h.out().buffers().at(0), kept);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(kept, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref(kept);
}

TEST(Slo, MeasuresLatencyGapsAndRate) {
  ElementHarness h("sdv2slo", {{"target-latency", "100000000"}, {"target-fps", "20/1"}});
  for (guint64 i = 0; i < 21; ++i) {
    h.set_time(GST_SECOND + i * 50 * kMs + 30 * kMs);
    h.push(GST_SECOND + i * 50 * kMs);
  }
  h.set_time(GST_SECOND + 23 * 50 * kMs + 130 * kMs);
  h.push(GST_SECOND + 23 * 50 * kMs);
  EXPECT_EQ(h.stat("frames"), 22);
  EXPECT_EQ(h.stat("latency-count"), 22);
  EXPECT_EQ(h.stat("latency-min"), 30e6);
  EXPECT_NEAR(h.stat("latency-p50"), 30e6, 0.15e6);
  EXPECT_EQ(h.stat("latency-max"), 130e6);
  EXPECT_EQ(h.stat("window-latency-max"), 130e6);
  EXPECT_EQ(h.stat("gap-max"), 250e6);
  EXPECT_EQ(h.stat("run-time"), 1250e6);
  EXPECT_NEAR(h.stat("rate"), 21 / 1.25, 1e-9);
  EXPECT_EQ(h.stat("late-frames"), 1);
  EXPECT_EQ(h.stat("rate-misses"), 4);
  EXPECT_EQ(h.stat("jitter"), 6.25e6);  // 100 ms / 16
  EXPECT_GT(h.stat("first-frame-time"), 0);
}

TEST(Slo, TargetsChangeWhilePlaying) {
  ElementHarness h("sdv2slo", {});
  h.set_time(200 * kMs);
  h.push(0);
  EXPECT_EQ(h.stat("late-frames"), 0);
  g_object_set(h.element(), "target-latency", 50 * kMs, nullptr);
  h.push(50 * kMs);
  EXPECT_EQ(h.stat("late-frames"), 1);
}

TEST(Slo, MeasuresCodedStreamsToo) {
  ElementHarness h("sdv2slo", {}, "video/x-h264,stream-format=byte-stream,alignment=au");
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 10, nullptr);
  GST_BUFFER_PTS(buffer) = 0;
  GST_BUFFER_OFFSET(buffer) = 1000;  // bytes, no frame numbers
  h.set_time(20 * kMs);
  gst_pad_push(h.harness()->srcpad, buffer);
  EXPECT_EQ(h.stat("latency-max"), 20e6);
  EXPECT_EQ(h.stat("frozen-frames"), 0);
}

TEST(Slo, CountsFrozenPictures) {
  ElementHarness h("sdv2slo", {});
  for (guint64 i = 0; i < 5; ++i) {
    h.set_time(i * 100 * kMs);
    h.push(i * 100 * kMs);
  }
  EXPECT_EQ(h.stat("frozen-frames"), 4);
  EXPECT_EQ(h.stat("longest-freeze"), 400e6);
}

TEST(Slo, ChangingPicturesAreNotFrozen) {
  ElementHarness h("sdv2slo", {});
  for (guint8 i = 0; i < 5; ++i) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 384, nullptr);
    gst_buffer_memset(buffer, 0, 0, 384);
    gst_buffer_memset(buffer, 255, i, 1);
    gst_pad_push(h.harness()->srcpad, buffer);
  }
  EXPECT_EQ(h.stat("frozen-frames"), 0);
}

TEST(Slo, CountsDropsByBufferOffset) {
  ElementHarness h("sdv2slo", {});
  for (const guint64 offset : {0, 1, 4, 5}) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 384, nullptr);
    GST_BUFFER_OFFSET(buffer) = offset;
    gst_pad_push(h.harness()->srcpad, buffer);
  }
  EXPECT_EQ(h.stat("dropped-frames"), 2);
}

TEST(Slo, CountsDropsByChunkMeta) {
  ElementHarness h("sdv2slo", {});
  for (const guint64 number : {0, 1, 6}) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 384, nullptr);
    GST_BUFFER_OFFSET(buffer) = 0;
    const Sdv2ChunkInfo info = {0, 0, 4, number, FALSE};
    sdv2_buffer_set_chunk_info(buffer, &info);
    gst_pad_push(h.harness()->srcpad, buffer);
  }
  EXPECT_EQ(h.stat("dropped-frames"), 4);
}

TEST(Slo, AFlushIsNoGap) {
  ElementHarness h("sdv2slo", {});
  h.push(0);
  h.flush();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  h.push_event(gst_event_new_segment(&segment));
  h.set_time(60 * GST_SECOND);
  h.push(60 * GST_SECOND);
  EXPECT_EQ(h.stat("frames"), 2);
  EXPECT_EQ(h.stat("gap-count"), 0);
}

TEST(Slo, APauseIsNoGapAndPrerollIsNotTimed) {
  ElementHarness h("sdv2slo", {});
  h.push(0);
  gst_element_set_state(h.element(), GST_STATE_PAUSED);
  h.push(50 * kMs);
  gst_element_set_state(h.element(), GST_STATE_PLAYING);
  h.set_time(60 * GST_SECOND);
  h.push(60 * GST_SECOND);
  EXPECT_EQ(h.stat("frames"), 3);
  EXPECT_EQ(h.stat("latency-count"), 2);
  EXPECT_EQ(h.stat("gap-count"), 0);
}

TEST(Slo, IsAsNewAfterReady) {
  ElementHarness h("sdv2slo", {});
  h.push(0);
  gst_element_set_state(h.element(), GST_STATE_READY);
  EXPECT_EQ(h.stat("frames"), 1);  // can still be read
  gst_element_set_state(h.element(), GST_STATE_PLAYING);
  EXPECT_EQ(h.stat("frames"), 0);
}

TEST(Slo, AddsNoLatency) {
  ElementHarness h("sdv2slo", {});
  gst_harness_set_upstream_latency(h.harness(), 70 * kMs);
  EXPECT_EQ(gst_harness_query_latency(h.harness()), 70 * kMs);
}

TEST(Slo, FinalizesWithoutEverLeavingNull) {
  GstElement* element = gst_element_factory_make("sdv2slo", nullptr);
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  EXPECT_TRUE(gst_structure_has_field(stats, "frames"));
  gst_structure_free(stats);
  gst_object_unref(element);
}

#if !defined(SDV2_SANITIZE)
// Between the probes stand the base class and the element.
TEST(Slo, AllocatesNothingPerFrame) {
  static size_t before;
  static size_t within;
  static int frames;
  for (const char* mark : {"none", "write", "read"}) {
    before = within = 0;
    frames = 0;
    GstHarness* h = gst_harness_new_parse((std::string("sdv2slo mark=") + mark).c_str());
    const auto on_sink = [](GstPad*, GstPadProbeInfo*, gpointer) {
      before = allocations;
      return GST_PAD_PROBE_OK;
    };
    const auto on_src = [](GstPad*, GstPadProbeInfo*, gpointer) {
      if (++frames > 1) within += allocations - before;  // the first frame negotiates
      return GST_PAD_PROBE_OK;
    };
    gst_pad_add_probe(GST_PAD_PEER(h->srcpad), GST_PAD_PROBE_TYPE_BUFFER, on_sink, nullptr, nullptr);
    gst_pad_add_probe(GST_PAD_PEER(h->sinkpad), GST_PAD_PROBE_TYPE_BUFFER, on_src, nullptr, nullptr);
    gst_harness_set_src_caps_str(h, kLarge);
    for (guint64 i = 0; i < 50; ++i) {
      GstBuffer* buffer = gst_harness_create_buffer(h, 320 * 240 * 3 / 2);
      GST_BUFFER_PTS(buffer) = i * 50 * kMs;
      gst_harness_push(h, buffer);
    }
    EXPECT_EQ(frames, 50);
    EXPECT_EQ(within, 0u) << mark;
    gst_harness_teardown(h);
  }
}
#endif

}  // namespace
}  // namespace sdv2::testing
