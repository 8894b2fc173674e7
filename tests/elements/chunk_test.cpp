// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk: grouping, order, partial chunks, dropping, frame-rate adaption.
#include <gtest/gtest.h>

#include <thread>

#include "helpers.h"
#include "sdv2/sdv2meta.h"

namespace sdv2::testing {
namespace {

// "chunk.index/size" of each buffer, with "*" in a session's first chunk and "!" on a discontinuity.
std::string places(const std::vector<GstBuffer*>& buffers) {
  std::string text;
  for (GstBuffer* buffer : buffers) {
    Sdv2ChunkInfo info;
    if (!sdv2_buffer_get_chunk_info(buffer, &info)) return text + "(no meta)";
    if (!text.empty()) text += " ";
    if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)) text += "!";
    text += std::to_string(info.chunk) + "." + std::to_string(info.index) + "/" + std::to_string(info.size) +
            (info.first ? "*" : "");
  }
  return text;
}

struct Qos {
  GstClockTime timestamp;
  guint64 processed;
  guint64 dropped;
  gint64 jitter;
  std::string reason;
};

std::vector<Qos> take_qos(ElementHarness& h) {
  std::vector<Qos> all;
  for (GstMessage* message : h.take_messages(GST_MESSAGE_QOS)) {
    Qos qos{};
    gboolean live = FALSE;
    GstFormat format = GST_FORMAT_UNDEFINED;
    gst_message_parse_qos(message, &live, nullptr, nullptr, &qos.timestamp, nullptr);
    gst_message_parse_qos_stats(message, &format, &qos.processed, &qos.dropped);
    gst_message_parse_qos_values(message, &qos.jitter, nullptr, nullptr);
    qos.reason = gst_structure_get_string(gst_message_get_structure(message), "reason");
    EXPECT_TRUE(live);
    EXPECT_EQ(format, GST_FORMAT_BUFFERS);
    all.push_back(qos);
    gst_message_unref(message);
  }
  return all;
}

TEST(Chunk, PassesEachFrameAtOnceWithItsPlace) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(h.push_frames(i, 1), GST_FLOW_OK);
    h.out().wait_for_buffers(static_cast<size_t>(i) + 1);  // nothing is held back until a chunk is whole
  }
  EXPECT_EQ(places(h.out().buffers()), "0.0/5* 0.1/5* 0.2/5* 0.3/5* 0.4/5* 1.0/4 1.1/4 1.2/4 1.3/4 2.0/4");
  Sdv2ChunkInfo info;
  sdv2_buffer_get_chunk_info(h.out().buffers()[7], &info);
  EXPECT_EQ(info.frame, 7u);
}

TEST(Chunk, SizesFollowTheProperties) {
  ElementHarness h("sdv2chunk", {{"chunk-size", "2"}, {"first-chunk-size", "1"}, {"leaky", "none"}});
  h.push_frames(0, 4);
  EXPECT_EQ(places(h.out().wait_for_buffers(4)), "0.0/1* 1.0/2 1.1/2 2.0/2");
}

TEST(Chunk, KeepsTimesFlagsMemoryAndMetas) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 384, nullptr);
  GST_BUFFER_PTS(buffer) = 7;
  GST_BUFFER_DTS(buffer) = 5;
  GST_BUFFER_DURATION(buffer) = 3;
  GST_BUFFER_OFFSET(buffer) = 11;
  GST_BUFFER_OFFSET_END(buffer) = 12;
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
  GstCaps* reference = gst_caps_new_empty_simple("timestamp/x-test");
  gst_buffer_add_reference_timestamp_meta(buffer, reference, 99, GST_CLOCK_TIME_NONE);
  const GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  GstBuffer* kept = gst_buffer_ref(buffer);  // shared, as a tee does
  gst_pad_push(h.harness()->srcpad, buffer);
  GstBuffer* out = h.out().wait_for_buffers(1)[0];
  EXPECT_EQ(GST_BUFFER_PTS(out), 7u);
  EXPECT_EQ(GST_BUFFER_DTS(out), 5u);
  EXPECT_EQ(GST_BUFFER_DURATION(out), 3u);
  EXPECT_EQ(GST_BUFFER_OFFSET(out), 11u);
  EXPECT_EQ(GST_BUFFER_OFFSET_END(out), 12u);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out, GST_BUFFER_FLAG_CORRUPTED));
  EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(out, GST_BUFFER_FLAG_DISCONT));
  ASSERT_NE(gst_buffer_get_reference_timestamp_meta(out, reference), nullptr);
  EXPECT_EQ(gst_buffer_peek_memory(out, 0), memory);
  Sdv2ChunkInfo info;
  EXPECT_FALSE(sdv2_buffer_get_chunk_info(kept, &info));  // the other branch sees its own buffer
  gst_buffer_unref(kept);
  gst_caps_unref(reference);
}

TEST(Chunk, TheMetaSurvivesConversionAndScaling) {
  if (!have_factory("videoconvertscale")) GTEST_SKIP() << "videoconvertscale is not installed";
  ElementHarness h(
      "sdv2chunk ! videoconvertscale ! capsfilter caps=video/x-raw,format=RGB,width=32,height=32", kCaps);
  h.push_frames(0, 1);
  EXPECT_EQ(places(h.out().wait_for_buffers(1)), "0.0/5*");
}

TEST(Chunk, TwoInARowGroupAnew) {
  ElementHarness h("sdv2chunk chunk-size=8 leaky=none ! sdv2chunk leaky=none chunk-size=1 first-chunk-size=1",
                   kCaps);
  h.push_frames(0, 2);
  EXPECT_EQ(places(h.out().wait_for_buffers(2)), "0.0/1* 1.0/1");
}

TEST(Chunk, EventsKeepTheirPlace) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 2);
  h.push_event(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "x", nullptr)));
  h.push_frames(2, 1);
  h.push_event(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("sdv2-control")));
  h.push_frames(3, 2);
  h.eos();
  h.out().wait_for("eos");
  EXPECT_EQ(h.out().text(), "stream-start caps segment b0 b50 tag b100 sdv2-control b150 b200 eos");
}

class ChunkEos : public ::testing::TestWithParam<int> {};

TEST_P(ChunkEos, EndsAPartialChunkAndLosesNothing) {
  const int frames = GetParam();
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, frames);
  EXPECT_TRUE(h.eos());
  h.out().wait_for("eos");
  EXPECT_EQ(h.out().buffers().size(), static_cast<size_t>(frames));
  const bool partial = frames > 0 && frames != 5 && (frames < 5 || (frames - 5) % 4 != 0);
  const auto log = h.out().log();
  EXPECT_EQ(log[log.size() - 2] == SDV2_CHUNK_END_EVENT_NAME, partial);
  EXPECT_EQ(h.stat("partial-chunks"), partial ? 1 : 0);
  EXPECT_EQ(h.stat("frames-in"), frames);
  EXPECT_EQ(h.stat("frames-out"), frames);
  EXPECT_EQ(h.push_frames(frames, 1), GST_FLOW_EOS);
}
INSTANTIATE_TEST_SUITE_P(Frames, ChunkEos, ::testing::Values(0, 1, 4, 5, 6, 8, 9, 100));

TEST(Chunk, TheEndEventSaysWhichChunkAndHowManyFrames) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 7);
  h.eos();
  h.out().wait_for("eos");
  bool found = false;
  while (GstEvent* event = gst_harness_try_pull_event(h.harness())) {
    guint64 chunk = 99;
    guint frames = 99;
    if (sdv2_chunk_end_event_parse(event, &chunk, &frames)) {
      found = true;
      EXPECT_EQ(chunk, 1u);
      EXPECT_EQ(frames, 2u);
    }
    gst_event_unref(event);
  }
  EXPECT_TRUE(found);
}

TEST(Chunk, TheSameFormatPassesAnotherOneBeginsASession) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 6);
  const auto send_caps = [&](const char* text) {
    GstCaps* caps = gst_caps_from_string(text);
    h.push_event(gst_event_new_caps(caps));
    gst_caps_unref(caps);
  };
  send_caps(kCaps);
  h.push_frames(6, 1);
  send_caps("video/x-raw,format=I420,width=32,height=16,framerate=20/1");
  h.push_frames(7, 1);
  EXPECT_EQ(places(h.out().wait_for_buffers(8)), "0.0/5* 0.1/5* 0.2/5* 0.3/5* 0.4/5* 1.0/4 1.1/4 2.0/5*");
  EXPECT_EQ(h.out().text(8), "b250 caps b300 sdv2-chunk-end caps b350");
}

TEST(Chunk, OnlyARealSegmentChangeEndsAChunk) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 1);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.position = 50 * kMs;
  h.push_event(gst_event_new_segment(&segment));
  h.push_frames(1, 1);
  segment.rate = 2;
  h.push_event(gst_event_new_segment(&segment));
  h.push_frames(2, 1);
  EXPECT_EQ(places(h.out().wait_for_buffers(3)), "0.0/5* 0.1/5* 1.0/4");
  EXPECT_EQ(h.out().text(3), "b0 segment b50 sdv2-chunk-end segment b100");
}

TEST(Chunk, RefusesSegmentsWithoutTimes) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  h.push_event(gst_event_new_segment(&segment));
  EXPECT_NE(h.push(0), GST_FLOW_OK);
  GstMessage* error = h.wait_for_message(GST_MESSAGE_ERROR);
  ASSERT_NE(error, nullptr);
  gst_message_unref(error);
}

TEST(Chunk, LongGapEventsEndAChunkShortOnesDoNot) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 1);
  h.push_event(gst_event_new_gap(50 * kMs, 200 * kMs));
  h.push_frames(5, 1);
  h.push_event(gst_event_new_gap(300 * kMs, 201 * kMs));
  h.push(501 * kMs);
  EXPECT_EQ(places(h.out().wait_for_buffers(3)), "0.0/5* 0.1/5* 1.0/4");
  EXPECT_EQ(h.out().text(3), "b0 gap b250 sdv2-chunk-end gap b501");
}

TEST(Chunk, AJumpInTimeEndsAChunk) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push(0);
  h.push(250 * kMs);  // 200 ms missing: a chunk's length, not longer
  h.push(501 * kMs);
  EXPECT_EQ(places(h.out().wait_for_buffers(3)), "0.0/5* 0.1/5* 1.0/4");
}

TEST(Chunk, ADrainQueryEndsAChunkAndWaitsForIt) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}});
  h.push_frames(0, 2);
  GstQuery* query = gst_query_new_drain();
  gst_pad_peer_query(h.harness()->srcpad, query);
  gst_query_unref(query);
  EXPECT_EQ(h.out().text(3), "b0 b50 sdv2-chunk-end");
}

TEST(Chunk, AsksUpstreamForTheBuffersThatItHolds) {
  ElementHarness h("sdv2chunk", {{"max-chunks", "3"}});
  GstCaps* caps = gst_caps_from_string(kCaps);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  ASSERT_TRUE(gst_pad_peer_query(h.harness()->srcpad, query));
  ASSERT_EQ(gst_query_get_n_allocation_pools(query), 1u);
  guint size = 0;
  guint min = 0;
  gst_query_parse_nth_allocation_pool(query, 0, nullptr, &size, &min, nullptr);
  EXPECT_GE(size, 384u);
  EXPECT_GE(min, 3u * 5u + 4u);
  gst_query_unref(query);
  gst_caps_unref(caps);
}

// The first frame is in downstream's hands, so that its chunk is leaving; then `frames` more come.
void fill_behind_first(ElementHarness& h, int frames) {
  h.out().hold();
  h.push_frames(0, 1);
  h.out().wait_until_held();
  ASSERT_EQ(h.push_frames(1, frames), GST_FLOW_OK);
}

TEST(ChunkLeaky, OldestDropsWholeChunksThatHaveNotBegunToLeave) {
  ElementHarness h("sdv2chunk", {{"max-chunks", "2"}});
  h.set_time(2000 * kMs);
  fill_behind_first(h, 4 + 4 * 4);  // chunks 0 (leaving), 1, 2, 3, 4
  EXPECT_EQ(h.stat("frames-dropped"), 8);
  EXPECT_EQ(h.stat("chunks-dropped"), 2);
  EXPECT_EQ(h.stat("chunks-waiting"), 2);
  EXPECT_EQ(h.stat("frames-waiting"), 12);
  h.out().release();
  EXPECT_EQ(places(h.out().wait_for_buffers(13)),
            "0.0/5* 0.1/5* 0.2/5* 0.3/5* 0.4/5* !3.0/4 3.1/4 3.2/4 3.3/4 4.0/4 4.1/4 4.2/4 4.3/4");
  Sdv2ChunkInfo info;
  sdv2_buffer_get_chunk_info(h.out().buffers()[5], &info);
  EXPECT_EQ(info.frame, 13u);  // dropped frames are counted
  const auto qos = take_qos(h);
  ASSERT_EQ(qos.size(), 8u);
  for (size_t i = 0; i < qos.size(); ++i) {
    EXPECT_EQ(qos[i].timestamp, (5 + i) * 50 * kMs);
    EXPECT_EQ(qos[i].processed, 0u);
    EXPECT_EQ(qos[i].dropped, i + 1);
    EXPECT_EQ(qos[i].jitter, static_cast<gint64>((2000 - 50 * (5 + i)) * kMs));
    EXPECT_EQ(qos[i].reason, "queue-full");
  }
}

TEST(ChunkLeaky, NewestDropsTheChunkThatBeginsToItsEnd) {
  ElementHarness h("sdv2chunk", {{"leaky", "newest"}, {"max-chunks", "1"}});
  fill_behind_first(h, 4 + 4 + 4 + 1);  // chunks 0, 1, 2 (dropped), 3 (begins, dropped too)
  EXPECT_EQ(h.stat("frames-dropped"), 5);
  h.out().release();
  h.out().wait_for_buffers(9);
  h.push_frames(14, 3);  // the rest of chunk 3 goes as well, although there is room
  h.push_frames(17, 1);
  EXPECT_EQ(places(h.out().wait_for_buffers(10)),
            "0.0/5* 0.1/5* 0.2/5* 0.3/5* 0.4/5* 1.0/4 1.1/4 1.2/4 1.3/4 !4.0/4");
  EXPECT_EQ(take_qos(h).size(), 8u);
  EXPECT_EQ(h.stat("chunks-dropped"), 2);
}

TEST(ChunkLeaky, NoneMakesUpstreamWait) {
  ElementHarness h("sdv2chunk", {{"leaky", "none"}, {"max-chunks", "1"}});
  fill_behind_first(h, 8);
  std::thread upstream([&] { EXPECT_EQ(h.push_frames(9, 20), GST_FLOW_OK); });
  h.out().release();
  upstream.join();
  h.eos();
  h.out().wait_for("eos");
  EXPECT_EQ(h.out().buffers().size(), 29u);
  EXPECT_TRUE(take_qos(h).empty());
}

TEST(ChunkLeaky, ASessionsFirstChunkIsNotDropped) {
  ElementHarness h("sdv2chunk", {{"max-chunks", "1"}});
  fill_behind_first(h, 4);
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=I420,width=32,height=16,framerate=20/1");
  h.push_event(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  h.push_frames(5, 5 + 4);  // chunk 1 begins a session and waits; chunk 2 has to go
  h.out().release();
  h.push_event(gst_event_new_eos());
  h.out().wait_for("eos");
  EXPECT_EQ(places(h.out().buffers()),
            "0.0/5* 0.1/5* 0.2/5* 0.3/5* 0.4/5* 1.0/5* 1.1/5* 1.2/5* 1.3/5* 1.4/5*");
}

TEST(ChunkLeaky, ASessionWhoseFirstChunkIsRefusedBeginsWithTheNext) {
  ElementHarness h("sdv2chunk", {{"leaky", "newest"}, {"max-chunks", "1"}});
  fill_behind_first(h, 4 + 4);
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=I420,width=32,height=16,framerate=20/1");
  h.push_event(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  h.push_frames(9, 5);  // refused
  h.out().release();
  h.out().wait_for_buffers(9);
  h.push_frames(14, 1);
  EXPECT_EQ(places(h.out().wait_for_buffers(10)),
            "0.0/5* 0.1/5* 0.2/5* 0.3/5* 0.4/5* 1.0/4 1.1/4 1.2/4 1.3/4 !3.0/5*");
}

TEST(ChunkMaxWait, EndsAChunkWhenNoFrameComes) {
  ElementHarness h("sdv2chunk", {{"max-wait", "300000000"}});
  h.push_frames(0, 2);
  gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
  h.set_time(200 * kMs);
  h.push_frames(2, 1);  // comes in time: the wait begins anew
  gst_harness_crank_single_clock_wait(h.harness());
  gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
  EXPECT_EQ(h.stat("partial-chunks"), 0);
  gst_harness_crank_single_clock_wait(h.harness());
  h.out().wait_for(SDV2_CHUNK_END_EVENT_NAME);
  GstTestClock* clock = gst_harness_get_testclock(h.harness());
  EXPECT_EQ(gst_clock_get_time(GST_CLOCK(clock)), 500 * kMs);
  gst_object_unref(clock);
  h.push_frames(10, 1);
  EXPECT_EQ(places(h.out().wait_for_buffers(4)), "0.0/5* 0.1/5* 0.2/5* 1.0/4");
}

TEST(ChunkMaxWait, NothingIsAwaitedBetweenChunks) {
  ElementHarness h("sdv2chunk", {{"max-wait", "300000000"}});
  h.push_frames(0, 5);
  h.out().wait_for_buffers(5);
  gst_harness_crank_single_clock_wait(h.harness());  // armed by the first frame
  EXPECT_EQ(h.stat("partial-chunks"), 0);
  GstTestClock* clock = gst_harness_get_testclock(h.harness());
  EXPECT_EQ(gst_test_clock_peek_id_count(clock), 0u);
  gst_object_unref(clock);
}

TEST(ChunkMaxWait, CanBeChangedWhilePlaying) {
  ElementHarness h("sdv2chunk", {{"max-wait", "0"}});
  h.push_frames(0, 1);
  GstTestClock* clock = gst_harness_get_testclock(h.harness());
  EXPECT_EQ(gst_test_clock_peek_id_count(clock), 0u);
  g_object_set(h.element(), "max-wait", G_GUINT64_CONSTANT(100000000), nullptr);
  gst_harness_crank_single_clock_wait(h.harness());
  h.out().wait_for(SDV2_CHUNK_END_EVENT_NAME);
  EXPECT_EQ(gst_clock_get_time(GST_CLOCK(clock)), 100 * kMs);
  gst_object_unref(clock);
}

TEST(ChunkMaxWait, IsForLiveStreams) {
  ElementHarness h("sdv2chunk", {}, nullptr);
  gst_harness_set_live(h.harness(), FALSE);
  gst_harness_set_src_caps_str(h.harness(), kCaps);
  h.push_frames(0, 1);
  GstTestClock* clock = gst_harness_get_testclock(h.harness());
  EXPECT_EQ(gst_test_clock_peek_id_count(clock), 0u);
  gst_object_unref(clock);
}

TEST(ChunkRate, DropsToAnEvenGrid) {
  ElementHarness h("sdv2chunk", {{"framerate", "20/1"}, {"leaky", "none"}},
                   "video/x-raw,format=I420,width=16,height=16,framerate=30/1");
  for (guint64 i = 0; i < 30; ++i) h.push(GST_SECOND + i * GST_SECOND / 30, GST_SECOND / 30);
  h.eos();
  h.out().wait_for("eos");
  const auto buffers = h.out().buffers();
  ASSERT_EQ(buffers.size(), 20u);
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_EQ(GST_BUFFER_PTS(buffers[i]), GST_SECOND + i * 50 * kMs);
    EXPECT_EQ(GST_BUFFER_DURATION(buffers[i]), 50 * kMs);
  }
  const auto qos = take_qos(h);
  ASSERT_EQ(qos.size(), 10u);
  EXPECT_EQ(qos[0].reason, "rate");
  EXPECT_EQ(h.stat("rate-dropped-frames"), 10);
  EXPECT_EQ(h.stat("frames-dropped"), 0);
  GstCaps* caps = gst_pad_get_current_caps(h.src());
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  EXPECT_EQ(GST_VIDEO_INFO_FPS_N(&info), 20);
  gst_caps_unref(caps);
}

TEST(ChunkRate, RepeatsAtOnceAndDoesNotCopyPixels) {
  ElementHarness h("sdv2chunk", {{"framerate", "40/1"}});
  h.push_frames(0, 1);
  const auto buffers = h.out().wait_for_buffers(2);
  EXPECT_EQ(h.out().text(3), "b0 b25");
  EXPECT_EQ(gst_buffer_peek_memory(buffers[0], 0), gst_buffer_peek_memory(buffers[1], 0));
  EXPECT_EQ(places(buffers), "0.0/5* 0.1/5*");
  EXPECT_EQ(h.stat("repeated-frames"), 1);
}

TEST(ChunkRate, FillsLostFramesButNoLongGaps) {
  ElementHarness h("sdv2chunk", {{"framerate", "20/1"}, {"leaky", "none"}});
  h.push_frames(0, 1);
  h.push_frames(2, 1);
  h.push_frames(10, 1);
  h.out().wait_for_buffers(4);
  EXPECT_EQ(h.out().text(3), "b0 b50 b100 sdv2-chunk-end b500");
}

TEST(ChunkRate, FollowsRunningTimeAtOtherRates) {
  ElementHarness h("sdv2chunk", {{"framerate", "20/1"}, {"leaky", "none"}}, nullptr);
  h.push_event(gst_event_new_stream_start("s"));
  GstCaps* caps = gst_caps_from_string(kCaps);
  h.push_event(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.rate = 2;
  segment.start = GST_SECOND;
  segment.time = GST_SECOND;
  h.push_event(gst_event_new_segment(&segment));
  for (guint64 i = 0; i < 7; ++i) h.push(GST_SECOND + i * 50 * kMs);
  h.eos();
  h.out().wait_for("eos");
  EXPECT_EQ(h.out().text(3), "b1000 b1100 b1200 b1300 sdv2-chunk-end eos");
  EXPECT_EQ(GST_BUFFER_DURATION(h.out().buffers()[0]), 100 * kMs);
}

TEST(ChunkRate, NeedsTimeStamps) {
  ElementHarness h("sdv2chunk", {{"framerate", "20/1"}});
  EXPECT_EQ(h.push(GST_CLOCK_TIME_NONE), GST_FLOW_ERROR);
  GstMessage* error = h.wait_for_message(GST_MESSAGE_ERROR);
  ASSERT_NE(error, nullptr);
  gst_message_unref(error);
}

TEST(ChunkRate, NegotiatesTheRate) {
  ElementHarness h("sdv2chunk", {{"framerate", "20/1"}}, nullptr);
  gst_harness_set_sink_caps_str(h.harness(), "video/x-raw,format=NV12,framerate=20/1");
  GstCaps* caps = gst_pad_peer_query_caps(h.harness()->srcpad, nullptr);
  GstCaps* any_rate = gst_caps_from_string("video/x-raw,format=NV12,width=16,height=16,framerate=1000/33");
  EXPECT_TRUE(gst_caps_can_intersect(caps, any_rate));
  EXPECT_TRUE(gst_pad_peer_query_accept_caps(h.harness()->srcpad, any_rate));
  GstCaps* other_format = gst_caps_from_string("video/x-raw,format=I420,width=16,height=16,framerate=20/1");
  EXPECT_FALSE(gst_caps_can_intersect(caps, other_format));
  EXPECT_FALSE(gst_pad_peer_query_accept_caps(h.harness()->srcpad, other_format));
  gst_caps_unref(other_format);
  gst_caps_unref(any_rate);
  gst_caps_unref(caps);
  gst_harness_set_sink_caps_str(h.harness(), "video/x-raw,framerate=25/1");
  caps = gst_pad_peer_query_caps(h.harness()->srcpad, nullptr);
  EXPECT_TRUE(gst_caps_is_empty(caps));
  gst_caps_unref(caps);
}

}  // namespace
}  // namespace sdv2::testing
