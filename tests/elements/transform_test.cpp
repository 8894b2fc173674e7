// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: pictures one for one, their order with events, formats and memory.
#include <gst/video/gstvideometa.h>
#include <gst/video/gstvideotimecode.h>

#include <thread>

#include "sdv2/sdv2meta.h"
#include "transform_harness.h"

namespace sdv2::testing {
namespace {

class TransformData : public TransformTest {};
class TransformOneToOne : public TransformTest, public ::testing::WithParamInterface<int> {};

TEST_P(TransformOneToOne, FramesThenEos) {
  begin("{}");
  for (int i = 0; i < GetParam(); ++i) {
    GstBuffer* buffer = new_frame(0, static_cast<GstClockTime>(i) * 50 * kMs);
    GST_BUFFER_DURATION(buffer) = 50 * kMs + static_cast<GstClockTime>(i);
    GST_BUFFER_DTS(buffer) = GST_BUFFER_PTS(buffer) + 1;
    GST_BUFFER_OFFSET(buffer) = static_cast<guint64>(i) + 7;
    if (i % 3 == 1) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    ASSERT_EQ(push_frame(buffer), GST_FLOW_OK);
  }
  EXPECT_TRUE(h().eos());
  h().out().wait_for("eos");
  const auto buffers = h().out().buffers();
  ASSERT_EQ(buffers.size(), static_cast<size_t>(GetParam()));
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_EQ(GST_BUFFER_PTS(buffers[i]), i * 50 * kMs);
    EXPECT_EQ(GST_BUFFER_DTS(buffers[i]), i * 50 * kMs + 1);
    EXPECT_EQ(GST_BUFFER_DURATION(buffers[i]), 50 * kMs + i);
    EXPECT_EQ(GST_BUFFER_OFFSET(buffers[i]), i + 7);
    EXPECT_EQ(GST_BUFFER_FLAG_IS_SET(buffers[i], GST_BUFFER_FLAG_MARKER), i % 3 == 1);
    EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(buffers[i], GST_BUFFER_FLAG_DISCONT));
  }
  EXPECT_EQ(h().stat("frames-transformed"), GetParam());
  EXPECT_EQ(h().out().log().back(), "eos");
}
INSTANTIATE_TEST_SUITE_P(Counts, TransformOneToOne, ::testing::Values(0, 1, 4, 5, 6, 8, 9, 100));

TEST_F(TransformData, PicturesAreTheEngines) {
  begin("{}", {}, kRgbCaps);
  for (int i = 0; i < 6; ++i)
    push_frame(new_frame(static_cast<guint8>(10 * i), static_cast<GstClockTime>(i) * 50 * kMs));
  h().eos();
  h().out().wait_for("eos");
  const auto buffers = h().out().buffers();
  ASSERT_EQ(buffers.size(), 6u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(first_byte(buffers[static_cast<size_t>(i)]), 255 - 10 * i);
}

TEST_F(TransformData, ChunksComeBackInAnyOrderAndLeaveInOrder) {
  begin(R"({"pace": "step"})");
  h().push_frames(0, 13);
  ASSERT_EQ(sdv2_stub_wait_submitted(-1, 3, kWaitMs), 1);
  EXPECT_EQ(sdv2_stub_finish(-1, 2), 1);
  EXPECT_EQ(sdv2_stub_finish(-1, 1), 1);
  EXPECT_TRUE(h().out().buffers().empty());
  EXPECT_EQ(sdv2_stub_finish(-1, 0), 1);
  h().out().wait_for_buffers(13);
  EXPECT_EQ(h().out().text(3), "b0 b50 b100 b150 b200 b250 b300 b350 b400 b450 b500 b550 b600");
}

TEST_F(TransformData, EventsKeepTheirPlaceInsideAChunk) {
  begin("{}");
  h().push_frames(0, 2);
  h().push_event(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("mine")));
  h().push_frames(2, 1);
  h().push_event(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "t", nullptr)));
  h().push_frames(3, 3);
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(h().out().text(), "stream-start caps segment b0 b50 mine b100 tag b150 b200 b250 eos");
}

TEST_F(TransformData, TheSameCapsPassAndOthersBeginAStream) {
  begin("{}");
  h().push_frames(0, 2);
  send_caps(kCaps);
  h().push_frames(2, 4);
  send_caps("video/x-raw,format=I420,width=32,height=16,framerate=20/1");
  h().push_frames(6, 5);
  h().out().wait_for_buffers(11);
  EXPECT_EQ(h().out().text(2), "segment b0 b50 b100 b150 b200 b250 caps b300 b350 b400 b450 b500");
  EXPECT_EQ(h().stat("partial-chunks"), 1);
  GstVideoMeta* meta = gst_buffer_get_video_meta(h().out().buffers()[6]);
  EXPECT_EQ(gst_buffer_get_size(h().out().buffers()[6]), 32u * 16 * 3 / 2);
  EXPECT_EQ(meta, nullptr);
}

TEST_F(TransformData, ALongGapEndsTheChunkAndAShortOneDoesNot) {
  begin("{}");
  h().push_frames(0, 2);
  h().push_event(gst_event_new_gap(100 * kMs, 50 * kMs));
  EXPECT_EQ(h().stat("chunks"), 0);
  h().push_event(gst_event_new_gap(150 * kMs, 900 * kMs));
  h().out().wait_for_buffers(2);
  EXPECT_EQ(h().stat("partial-chunks"), 1);
}

TEST_F(TransformData, OnlyARealSegmentChangeEndsTheChunk) {
  begin("{}");
  h().push_frames(0, 2);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.position = 77;
  h().push_event(gst_event_new_segment(&segment));
  EXPECT_EQ(h().stat("chunks"), 0);
  send_segment(50 * kMs);
  EXPECT_EQ(h().stat("partial-chunks"), 1);
  h().out().wait_for_buffers(2);
}

TEST_F(TransformData, ASegmentThatIsNotTimeIsAnError) {
  begin("{}");
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  h().push_event(gst_event_new_segment(&segment));
  error_text(GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
}

TEST_F(TransformData, InterlacedVideoIsRefusedWithAReason) {
  begin("{}", {}, nullptr);
  h().push_event(gst_event_new_stream_start("s"));
  send_caps("video/x-raw,format=I420,width=16,height=16,framerate=20/1,interlace-mode=interleaved");
  EXPECT_NE(error_text(GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE).find("deinterlace"),
            std::string::npos);
}

TEST_F(TransformData, ADrainQueryPushesThePartialChunkOut) {
  begin("{}");
  h().push_frames(0, 3);
  GstQuery* query = gst_query_new_drain();
  gst_pad_peer_query(h().harness()->srcpad, query);
  gst_query_unref(query);
  EXPECT_EQ(h().out().buffers().size(), 3u);
}

TEST_F(TransformData, FramesWithoutTimesAndRatePass) {
  begin("{}", {}, "video/x-raw,format=I420,width=16,height=16,framerate=0/1");
  for (int i = 0; i < 6; ++i) h().push(GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(h().out().text(3), "b- b- b- b- b- b- eos");
}

TEST_F(TransformData, FollowsTheChunksOfSdv2Chunk) {
  begin("{}");
  const auto push_tagged = [&](guint64 chunk, guint index, guint size, guint64 frame, bool first) {
    GstBuffer* buffer = new_frame(0, frame * 50 * kMs);
    const Sdv2ChunkInfo info = {chunk, index, size, frame, first};
    sdv2_buffer_set_chunk_info(buffer, &info);
    push_frame(buffer);
  };
  for (guint i = 0; i < 3; ++i) push_tagged(0, i, 5, i, true);
  h().push_event(sdv2_chunk_end_event_new(0, 3));
  EXPECT_EQ(h().stat("partial-chunks"), 1);
  for (guint i = 0; i < 2; ++i) push_tagged(1, i, 4, 3 + i, false);
  push_tagged(3, 0, 4, 8, false);  // the rest of chunk 1 and chunk 2 are lost
  EXPECT_EQ(h().stat("partial-chunks"), 2);
  for (guint i = 1; i < 4; ++i) push_tagged(3, i, 4, 8 + i, false);
  EXPECT_EQ(h().stat("chunks"), 3);
  push_tagged(4, 0, 5, 12, true);  // a session begins: the engine's stream too
  for (guint i = 1; i < 5; ++i) push_tagged(4, i, 5, 12 + i, true);
  EXPECT_EQ(h().stat("chunks"), 4);
  EXPECT_EQ(h().stat("partial-chunks"), 2);
  const auto buffers = h().out().wait_for_buffers(14);
  Sdv2ChunkInfo info{};
  ASSERT_TRUE(sdv2_buffer_get_chunk_info(buffers[5], &info));
  EXPECT_EQ(info.chunk, 3u);
}

TEST_F(TransformData, MetasStayOnTheirFrames) {
  begin("{}", {}, kRgbCaps);
  GstCaps* reference = gst_caps_from_string("timestamp/x-ntp");
  for (guint i = 0; i < 5; ++i) {
    GstBuffer* buffer = new_frame(0, i * 50 * kMs);
    gst_buffer_add_reference_timestamp_meta(buffer, reference, 1000 + i, GST_CLOCK_TIME_NONE);
    gst_buffer_add_video_time_code_meta_full(buffer, 20, 1, nullptr, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3,
                                             i, 0);
    const guint8 caption[] = {0x80, static_cast<guint8>(i)};
    gst_buffer_add_video_caption_meta(buffer, GST_VIDEO_CAPTION_TYPE_CEA608_RAW, caption, 2);
    gst_buffer_add_video_region_of_interest_meta(buffer, "face", i, 2, 4, 4);
    push_frame(buffer);
  }
  const auto buffers = h().out().wait_for_buffers(5);
  for (guint i = 0; i < 5; ++i) {
    GstReferenceTimestampMeta* time = gst_buffer_get_reference_timestamp_meta(buffers[i], reference);
    ASSERT_NE(time, nullptr);
    EXPECT_EQ(time->timestamp, 1000 + i);
    GstVideoTimeCodeMeta* code = gst_buffer_get_video_time_code_meta(buffers[i]);
    ASSERT_NE(code, nullptr);
    EXPECT_EQ(code->tc.frames, i);
    GstVideoCaptionMeta* caption = gst_buffer_get_video_caption_meta(buffers[i]);
    ASSERT_NE(caption, nullptr);
    EXPECT_EQ(caption->data[1], i);
    GstVideoRegionOfInterestMeta* region = gst_buffer_get_video_region_of_interest_meta(buffers[i]);
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->x, i);
  }
  gst_caps_unref(reference);
}

TEST_F(TransformData, DownstreamChoosesFormatAndSize) {
  EXPECT_EQ(sdv2_stub_program("{}"), 1);
  ElementHarness chain("sdv2transform ! capsfilter caps=video/x-raw,format=NV12,width=32,height=8", kRgbCaps);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 48u * 16, nullptr);
  gst_buffer_memset(buffer, 0, 255, 48u * 16);
  gst_buffer_add_video_region_of_interest_meta(buffer, "face", 2, 4, 8, 8);
  GST_BUFFER_PTS(buffer) = 0;
  EXPECT_EQ(gst_pad_push(chain.harness()->srcpad, buffer), GST_FLOW_OK);
  chain.eos();
  chain.out().wait_for("eos");
  ASSERT_EQ(chain.out().buffers().size(), 1u);
  GstBuffer* out = chain.out().buffers()[0];
  EXPECT_EQ(gst_buffer_get_size(out), 32u * 8 * 3 / 2);
  EXPECT_NEAR(first_byte(out), 16, 2);  // white became black, in limited range
  GstVideoRegionOfInterestMeta* region = gst_buffer_get_video_region_of_interest_meta(out);
  ASSERT_NE(region, nullptr);
  EXPECT_EQ(region->x, 4u);
  EXPECT_EQ(region->y, 2u);
  GstCaps* caps = gst_pad_get_current_caps(chain.harness()->sinkpad);
  gint n = 0, d = 0;
  gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "pixel-aspect-ratio", &n, &d);
  EXPECT_EQ(std::make_pair(n, d), std::make_pair(1, 4));  // the picture keeps its shape on the screen
  gst_caps_unref(caps);
}

TEST_F(TransformData, OddStridesComeInAndDefaultStridesLeave) {
  begin("{}", {}, kRgbCaps);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 100u * 16 + 64, nullptr);
  gst_buffer_memset(buffer, 0, 1, 100u * 16 + 64);
  gsize offsets[4] = {64};
  gint strides[4] = {100};
  for (guint y = 0; y < 16; ++y) gst_buffer_memset(buffer, 64 + y * 100, static_cast<guint8>(200 - y), 48);
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 16, 16, 1, offsets,
                                 strides);
  GST_BUFFER_PTS(buffer) = 0;
  push_frame(buffer);
  h().eos();
  h().out().wait_for("eos");
  ASSERT_EQ(h().out().buffers().size(), 1u);
  GstBuffer* out = h().out().buffers()[0];
  EXPECT_EQ(gst_buffer_get_size(out), 48u * 16);
  EXPECT_EQ(gst_buffer_get_video_meta(out), nullptr);
  for (guint y = 0; y < 16; ++y) {
    guint8 byte = 0;
    gst_buffer_extract(out, y * 48 + 47, &byte, 1);
    EXPECT_EQ(byte, 255 - (200 - y));
  }
}

TEST_F(TransformData, AllocationIsAnsweredAtOnceWithVideoMetaAndWhatIsHeld) {
  begin(R"({"pace": "step"})", {{"on-error", "passthrough"}, {"max-chunks", "3"}});
  h().push_frames(0, 5);  // the engine is busy: a query through the timeline would wait
  GstCaps* caps = gst_caps_from_string(kCaps);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  EXPECT_TRUE(gst_pad_peer_query(h().harness()->srcpad, query));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  guint min = 0;
  gst_query_parse_nth_allocation_pool(query, 0, nullptr, nullptr, &min, nullptr);
  EXPECT_GE(min, 3u * 4 + 1);
  gst_query_unref(query);
  gst_caps_unref(caps);
}

// Frames whose pictures may have to leave again are held; a small pool of upstream's must not run dry.
// Pools that are smaller than what the element holds (at most 4 chunks) are not run dry, however long chunks
// are.
TEST_F(TransformData, ASmallPoolOfUpstreamsIsNotHeld) {
  struct Case {
    const char* program;
    guint buffers;
    guint frames;
  };
  for (const Case& each :
       {Case{R"({"pace": "step"})", 2, 9}, Case{R"({"pace": "step", "chunk": 3})", 30, 40}}) {
    begin(each.program, {{"on-error", "passthrough"}});
    wait_until_loaded();
    GstBufferPool* pool = gst_buffer_pool_new();
    GstStructure* config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(config, nullptr, 16 * 16 * 3 / 2, each.buffers, each.buffers);
    gst_buffer_pool_set_config(pool, config);
    gst_buffer_pool_set_active(pool, TRUE);
    for (guint i = 0; i < each.frames; ++i) {
      GstBuffer* buffer = nullptr;
      GstBufferPoolAcquireParams params = {};
      params.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
      ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool, &buffer, &params), GST_FLOW_OK) << i;
      GST_BUFFER_PTS(buffer) = i * 50 * kMs;
      push_frame(buffer);
    }
    gst_buffer_pool_set_active(pool, FALSE);
    gst_object_unref(pool);
  }
}

TEST_F(TransformData, CapsQueriesOfferEveryFormatAndSizeAtDownstreamsRate) {
  EXPECT_EQ(sdv2_stub_program("{}"), 1);
  ElementHarness chain(
      "sdv2transform ! capsfilter caps=video/x-raw,format=NV12,width=32,height=8,framerate=25/1", nullptr);
  const auto accepts = [&](const char* text) {
    GstCaps* caps = gst_caps_from_string(text);
    GstCaps* allowed = gst_pad_peer_query_caps(chain.harness()->srcpad, nullptr);
    const bool offered = gst_caps_can_intersect(caps, allowed);
    EXPECT_EQ(gst_pad_peer_query_accept_caps(chain.harness()->srcpad, caps), offered) << text;
    gst_caps_unref(caps);
    gst_caps_unref(allowed);
    return offered;
  };
  EXPECT_TRUE(
      accepts("video/x-raw,format=UYVY,width=640,height=480,framerate=25/1,interlace-mode=progressive"));
  EXPECT_FALSE(accepts("video/x-raw,format=UYVY,width=640,height=480,framerate=30/1"));
  EXPECT_FALSE(accepts("video/x-raw,format=P010_10LE,width=640,height=480,framerate=25/1"));
}

TEST_F(TransformData, CapsQueriesUnderstandFiltersForAnyMemory) {
  begin("{}");
  for (const char* text : {"video/x-raw(ANY)", "video/x-raw(ANY),framerate=20/1", "video/x-raw"}) {
    GstCaps* filter = gst_caps_from_string(text);
    GstCaps* caps = gst_pad_peer_query_caps(h().harness()->srcpad, filter);
    EXPECT_FALSE(gst_caps_is_empty(caps)) << text;
    gst_caps_unref(caps);
    gst_caps_unref(filter);
  }
}

}  // namespace
}  // namespace sdv2::testing
