// SPDX-License-Identifier: LGPL-2.1-or-later
// Chunks in and out: sizes, capacity, partial chunks, flush, reset, drain.
#include <future>

#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class SessionTest : public StubTest {};

TEST_F(SessionTest, ChunksAreOneAndFourPThenFourP) {
  model(R"({"pace": "step", "chunk": 3})");
  auto session = open();
  EXPECT_EQ(session.chunk_frames(), 13);
  EXPECT_EQ(feed(session), 0);
  EXPECT_EQ(session.chunk_frames(), 12);
  EXPECT_EQ(feed(session), 1);
  EXPECT_EQ(session.chunk_frames(), 12);
}

TEST_F(SessionTest, WarmUpByFrameTakesOneFrame) {
  auto session = open(R"({"warm_up": "frame"})");
  EXPECT_EQ(session.chunk_frames(), 1);
  feed(session);
  EXPECT_EQ(session.chunk_frames(), 4);
}

TEST_F(SessionTest, FramesComeOutOneForOne) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  feed(session, 2);
  ASSERT_EQ(sdv2_stub_step(-1, 2), 1);
  const auto entries = recorder.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].info.frames, 5);
  EXPECT_EQ(entries[1].info.frames, 2);
  EXPECT_EQ(entries[1].info.code, SDV2_OK);
  EXPECT_EQ(entries[1].message, "");
  EXPECT_EQ(entries[1].info.steps, 2);
  EXPECT_DOUBLE_EQ(entries[1].info.noise_scale, 0.7);
  EXPECT_EQ(read(session, 1, 1), expect("{}"));
  const RgbImage image(4, 4);
  EXPECT_EQ(session.read_frame(1, 2, image.view()).code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.read_frame(1, -1, image.view()).code(), SDV2_INVALID_ARGUMENT);
}

TEST_F(SessionTest, CapacityGivesBusyAndTakesNothing) {
  auto session = open(R"({"capacity": 2})");
  const RgbImage image(4, 4);
  feed(session);
  feed(session);
  EXPECT_EQ(session.put_frame(image.view()).code(), SDV2_BUSY);
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  EXPECT_EQ(session.put_frame(image.view()).code(), SDV2_BUSY) << "chunk 0 is finished, but not released";
  EXPECT_EQ(session.stats()->frames_in, 9);
  EXPECT_TRUE(session.release_chunk(0).ok());
  EXPECT_EQ(feed(session), 2);
}

TEST_F(SessionTest, ReleasedChunksAreGone) {
  auto session = open();
  feed(session);
  const RgbImage image(4, 4);
  EXPECT_EQ(session.read_frame(0, 0, image.view()).code(), SDV2_INVALID_ARGUMENT) << "under way";
  EXPECT_EQ(session.release_chunk(0).code(), SDV2_INVALID_ARGUMENT) << "under way";
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  EXPECT_TRUE(session.release_chunk(0).ok());
  EXPECT_EQ(session.read_frame(0, 0, image.view()).code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.release_chunk(0).code(), SDV2_INVALID_ARGUMENT);
}

TEST_F(SessionTest, FlushDropsEverythingAndNumbersGoOn) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  feed(session);
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  const RgbImage image(4, 4);
  ASSERT_TRUE(session.put_frame(image.view()).ok());
  EXPECT_TRUE(session.flush().ok());
  EXPECT_EQ(sdv2_stub_step(-1, 1), 0) << "nothing is under way";
  EXPECT_EQ(session.read_frame(0, 0, image.view()).code(), SDV2_CANCELLED);
  EXPECT_EQ(session.release_chunk(1).code(), SDV2_CANCELLED);
  EXPECT_EQ(session.chunk_frames(), 5);
  EXPECT_EQ(feed(session), 2);
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(recorder.entries().back().info.generation, recorder.entries().front().info.generation + 1);
  const auto stats = session.stats();
  EXPECT_EQ(stats->chunks_submitted, 3);
  EXPECT_EQ(stats->chunks_done, 2);
  EXPECT_EQ(stats->chunks_dropped, 1);
}

TEST_F(SessionTest, FlushOfASlowEngineReturnsAtOnce) {
  model(R"({"chunk_ms": 1e9})");
  auto session = open();
  feed(session);
  EXPECT_TRUE(session.flush().ok());
  EXPECT_EQ(session.stats()->chunks_under_way, 0);
}

TEST_F(SessionTest, FlushMayBeCalledInTheCallback) {
  client::Session* self = nullptr;
  int calls = 0;
  auto session = open("{}", [&](const sdv2_chunk_info&) {
    ++calls;
    EXPECT_TRUE(self->flush().ok());
    EXPECT_EQ(self->drain(0).code(), SDV2_INVALID_ARGUMENT);
  });
  self = &session;
  feed(session);
  feed(session);
  EXPECT_EQ(sdv2_stub_finish(-1, 0), 1);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(session.stats()->generation, 1U);
}

TEST_F(SessionTest, ResetDeliversWhatWasSubmitted) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  feed(session);
  const RgbImage image(4, 4);
  ASSERT_TRUE(session.put_frame(image.view()).ok());
  EXPECT_TRUE(session.reset().ok());
  EXPECT_EQ(session.chunk_frames(), 5);
  EXPECT_EQ(session.submit().status().code(), SDV2_INVALID_ARGUMENT) << "the open chunk was dropped";
  EXPECT_EQ(feed(session), 2);
  EXPECT_EQ(session.chunk_frames(), 4);
  ASSERT_EQ(sdv2_stub_step(-1, 3), 1);
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(session.stats()->generation, 0U);
}

TEST_F(SessionTest, DrainWaitsTimesOutAndIsCancelled) {
  auto session = open();
  EXPECT_TRUE(session.drain(0).ok());
  EXPECT_EQ(session.drain(-1).code(), SDV2_INVALID_ARGUMENT);
  feed(session);
  EXPECT_EQ(session.drain(0).code(), SDV2_BUSY);
  const auto drain = [&] { return session.drain(60'000).code(); };
  auto drained = std::async(std::launch::async, drain);
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  EXPECT_EQ(drained.get(), SDV2_OK);
  feed(session);
  std::promise<void> begun;
  auto cancelled = std::async(std::launch::async, [&] {
    begun.set_value();
    return drain();
  });
  begun.get_future().wait();
  // Either the drain is waiting, or it comes after the flush and finds nothing to wait for.
  EXPECT_TRUE(session.flush().ok());
  const sdv2_code code = cancelled.get();
  EXPECT_TRUE(code == SDV2_CANCELLED || code == SDV2_OK) << code;
}

TEST_F(SessionTest, DeadlinesAndWorkUnderWayCanBeSeen) {
  auto session = open();
  const RgbImage image(4, 4);
  ASSERT_TRUE(session.put_frame(image.view()).ok());
  ASSERT_TRUE(session.submit(123).ok());
  EXPECT_EQ(sdv2_stub_wait_sessions(1, 0), 1);
  EXPECT_EQ(sdv2_stub_wait_sessions(2, 0), 0);
  EXPECT_EQ(sdv2_stub_wait_submitted(0, 1, 0), 1);
  EXPECT_EQ(sdv2_stub_wait_submitted(0, 2, 0), 0);
  char* text = sdv2_stub_session(0);
  ASSERT_NE(text, nullptr);
  const auto under_way = nlohmann::json::parse(text)["under_way"];
  sdv2_string_free(text);
  EXPECT_EQ(under_way, nlohmann::json::parse(R"([{"chunk": 0, "frames": 1, "deadline_ns": 123}])"));
  EXPECT_EQ(sdv2_stub_session(1), nullptr);
}

}  // namespace
}  // namespace sdv2
