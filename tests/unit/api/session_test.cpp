// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams: chunks, room, settings, flush, reset, drain, close, statistics.
#include <atomic>
#include <future>

#include "unit/api/fixture.h"

namespace sdv2 {
namespace {

class ApiSessionTest : public ApiTest {
 protected:
  // A chunk_done that does not return before the test lets it.
  class HeldCallback {
   public:
    client::ChunkObserver observer() {
      return [this](const sdv2_chunk_info&) {
        if (!held_.exchange(false)) return;
        entered_.set_value();
        leave_.get_future().wait();
        left_ = true;
      };
    }
    void wait_entered() { entered_.get_future().wait(); }
    void leave() { leave_.set_value(); }
    bool left() const { return left_; }

   private:
    std::atomic<bool> held_ = true;
    std::atomic<bool> left_ = false;
    std::promise<void> entered_, leave_;
  };
};

TEST_F(ApiSessionTest, ChunksAreOneAndFourPThenFourP) {
  auto session = open();
  EXPECT_EQ(session.chunk_frames(), 5);
  EXPECT_EQ(feed(session), 0);
  EXPECT_EQ(session.chunk_frames(), 4);
  EXPECT_EQ(feed(session), 1);
  EXPECT_EQ(session.chunk_frames(), 4);
}

TEST_F(ApiSessionTest, WarmUpByFrameTakesOneFrame) {
  auto session = open(R"({"warm_up": "frame"})");
  EXPECT_EQ(session.chunk_frames(), 1);
  feed(session);
  EXPECT_EQ(session.chunk_frames(), 4);
  finish(session);
  read(session, 0, 0);
}

TEST_F(ApiSessionTest, FramesComeOutOneForOne) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  feed(session, 2);
  finish(session);
  const auto entries = recorder.entries();
  ASSERT_EQ(entries.size(), 2U);
  for (int64_t i = 0; i < 2; ++i) {
    const sdv2_chunk_info& info = entries[static_cast<size_t>(i)];
    EXPECT_EQ(info.struct_size, sizeof(sdv2_chunk_info));
    EXPECT_EQ(info.chunk, i);
    EXPECT_EQ(info.generation, 0U);
    EXPECT_EQ(info.code, SDV2_OK);
    EXPECT_EQ(info.steps, 2);
    EXPECT_GT(info.noise_scale, 0);
    EXPECT_LE(info.submit_ns, info.start_ns);
    EXPECT_LE(info.start_ns, info.done_ns);
  }
  EXPECT_EQ(entries[0].frames, 5);
  EXPECT_EQ(entries[1].frames, 2) << "a partial chunk gives back what was put";
  read(session, 1, 1);
  const RgbImage image(kSide, kSide);
  EXPECT_EQ(session.read_frame(1, 2, image.view()).code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.read_frame(1, -1, image.view()).code(), SDV2_INVALID_ARGUMENT);
}

TEST_F(ApiSessionTest, EqualStreamsGiveEqualPictures) {
  auto first = open(R"({"prompt": "a", "seed": 3})"), second = open(R"({"prompt": "a", "seed": 3})");
  auto other = open(R"({"prompt": "a", "seed": 4})");
  for (int i = 0; i < 2; ++i) {
    const auto pixels = next(first);
    EXPECT_TRUE(pixels == next(second));
    EXPECT_FALSE(pixels == next(other));
  }
}

TEST_F(ApiSessionTest, FullOrEmptyOpenChunkIsRefused) {
  auto session = open();
  EXPECT_EQ(session.submit().status().code(), SDV2_INVALID_ARGUMENT);
  const RgbImage image(kSide, kSide);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(session.put_frame(image.view()).ok());
  EXPECT_EQ(session.put_frame(image.view()).code(), SDV2_INVALID_ARGUMENT);
  EXPECT_TRUE(session.submit().ok());
  EXPECT_EQ(session.stats()->frames_in, 5);
}

TEST_F(ApiSessionTest, CapacityGivesBusyAndTakesNothing) {
  Recorder recorder;
  auto session = open(R"({"capacity": 2})", recorder.observer());
  const RgbImage image(kSide, kSide);
  feed(session);
  feed(session);
  EXPECT_EQ(session.put_frame(image.view()).code(), SDV2_BUSY);
  EXPECT_EQ(session.submit().status().code(), SDV2_INVALID_ARGUMENT) << "no chunk was opened";
  finish(session);
  EXPECT_EQ(session.put_frame(image.view()).code(), SDV2_BUSY) << "finished, but not released";
  EXPECT_EQ(session.stats()->frames_in, 9);
  EXPECT_TRUE(session.release_chunk(0).ok());
  EXPECT_EQ(feed(session), 2);
  finish(session);
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1, 2}));
}

TEST_F(ApiSessionTest, ReleasedChunksAreGone) {
  auto session = open();
  const RgbImage image(kSide, kSide);
  EXPECT_EQ(session.read_frame(0, 0, image.view()).code(), SDV2_INVALID_ARGUMENT) << "never submitted";
  feed(session);
  finish(session);
  EXPECT_TRUE(session.release_chunk(0).ok());
  EXPECT_EQ(session.read_frame(0, 0, image.view()).code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.release_chunk(0).code(), SDV2_INVALID_ARGUMENT);
}

TEST_F(ApiSessionTest, SettingsAreTakenTogetherOrNotAtAll) {
  auto session = open();
  EXPECT_EQ(session.set(R"({"steps": 3, "mix": 2})").status().code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.set(R"({"steps": 3, "width": 64})").status().code(), SDV2_INVALID_ARGUMENT) << "not live";
  EXPECT_EQ(session.set("{").status().code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.set("[]").status().code(), SDV2_INVALID_ARGUMENT);
  feed(session);
  EXPECT_EQ(nlohmann::json::parse(*session.stats_json())["settings"]["steps"], 2);
}

TEST_F(ApiSessionTest, ReceiptNamesTheFirstChunkMadeWithTheChange) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  EXPECT_EQ(*session.set("{}"), 0);
  feed(session);
  EXPECT_EQ(*session.set(R"({"steps": 1, "prompt": "another"})"), 1) << "chunk 0 keeps its settings";
  feed(session);
  finish(session);
  EXPECT_EQ(recorder.wait(0).steps, 2);
  EXPECT_EQ(recorder.wait(1).steps, 1);
  EXPECT_EQ(*session.set("{}"), 2);
}

TEST_F(ApiSessionTest, PromptIsFadedInOverChunks) {
  // The picture of the first chunk behind a new prompt.
  const auto behind_change = [](const std::string& change) {
    auto session = open();
    next(session);
    if (!change.empty()) {
      EXPECT_EQ(*session.set(change), 1);
    }
    return next(session);
  };
  const auto old_prompt = behind_change(""), new_prompt = behind_change(R"({"prompt": "b"})");
  const auto between = behind_change(R"({"prompt": "b", "prompt_blend": 2})");
  EXPECT_FALSE(old_prompt == new_prompt);
  EXPECT_FALSE(between == old_prompt);
  EXPECT_FALSE(between == new_prompt);
  EXPECT_TRUE(behind_change(R"({"prompt": "b", "prompt_blend": 1})") == new_prompt)
      << "the last of one chunk";
}

TEST_F(ApiSessionTest, FirstChunkOfAStreamIsNotFaded) {
  const auto first = [](const std::string& settings, const std::string& change) {
    auto session = open(settings);
    EXPECT_TRUE(session.set(change).ok());
    return next(session);
  };
  EXPECT_TRUE(first("{}", R"({"prompt": "b", "prompt_blend": 3})") == first(R"({"prompt": "b"})", "{}"));
}

TEST_F(ApiSessionTest, FlushDropsEverythingAndNumbersGoOn) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  finish(session);
  const RgbImage image(kSide, kSide);
  ASSERT_TRUE(session.put_frame(image.view()).ok());
  EXPECT_TRUE(session.flush().ok());
  EXPECT_EQ(session.read_frame(0, 0, image.view()).code(), SDV2_CANCELLED);
  EXPECT_EQ(session.release_chunk(0).code(), SDV2_CANCELLED);
  EXPECT_EQ(session.submit().status().code(), SDV2_INVALID_ARGUMENT) << "the open chunk was dropped";
  EXPECT_EQ(session.chunk_frames(), 5);
  EXPECT_EQ(feed(session), 1);
  finish(session);
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(recorder.entries()[1].generation, recorder.entries()[0].generation + 1);
}

TEST_F(ApiSessionTest, FlushWhileBusyTellsOnlyOfItsGeneration) {
  Recorder recorder;
  auto session = open(R"({"capacity": 8})", recorder.observer());
  for (int i = 0; i < 6; ++i) feed(session);
  EXPECT_TRUE(session.flush().ok());
  const auto told = static_cast<int64_t>(recorder.numbers().size());
  auto stats = session.stats();
  EXPECT_EQ(stats->generation, 1U);
  EXPECT_EQ(stats->chunks_under_way, 0);
  EXPECT_EQ(stats->chunks_submitted, 6);
  EXPECT_EQ(stats->chunks_dropped + told, 6);
  EXPECT_EQ(feed(session), 6);
  finish(session);
  for (const auto& entry : recorder.entries()) EXPECT_EQ(entry.generation, entry.chunk < 6 ? 0U : 1U);
  EXPECT_EQ(session.stats()->chunks_done, told + 1);
}

TEST_F(ApiSessionTest, FlushWaitsForACallbackUnderWay) {
  HeldCallback callback;
  auto session = open("{}", callback.observer());
  feed(session);
  callback.wait_entered();
  auto flusher = std::async(std::launch::async, [&] { return session.flush().ok() && callback.left(); });
  callback.leave();
  EXPECT_TRUE(flusher.get());
}

TEST_F(ApiSessionTest, CallbacksMayCallTheSession) {
  client::Session* self = nullptr;
  std::promise<void> opened;
  std::promise<std::vector<sdv2_code>> codes;
  std::atomic<int> calls = 0;
  auto session = open("{}", [&](const sdv2_chunk_info& info) {
    if (calls++ > 0) return;
    const RgbImage image(kSide, kSide);
    std::vector<sdv2_code> got;
    got.push_back(self->read_frame(info.chunk, 0, image.view()).code());
    got.push_back(self->release_chunk(info.chunk).code());
    got.push_back(self->set(R"({"mix": 0.5})").status().code());
    got.push_back(self->drain(0).code());
    got.push_back(self->flush().code());
    codes.set_value(got);
  });
  self = &session;
  feed(session);
  EXPECT_EQ(codes.get_future().get(),
            (std::vector<sdv2_code>{SDV2_OK, SDV2_OK, SDV2_OK, SDV2_INVALID_ARGUMENT, SDV2_OK}));
  finish(session);
  EXPECT_EQ(session.stats()->generation, 1U);
}

TEST_F(ApiSessionTest, ResetDeliversWhatWasSubmitted) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  feed(session);
  const RgbImage image(kSide, kSide);
  ASSERT_TRUE(session.put_frame(image.view()).ok());
  EXPECT_TRUE(session.reset().ok());
  EXPECT_EQ(session.chunk_frames(), 5);
  EXPECT_EQ(session.submit().status().code(), SDV2_INVALID_ARGUMENT) << "the open chunk was dropped";
  EXPECT_EQ(feed(session), 2);
  EXPECT_EQ(session.chunk_frames(), 4);
  finish(session);
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(session.stats()->generation, 0U);
  EXPECT_TRUE(read(session, 0) == read(session, 2)) << "a stream of its own";
}

TEST_F(ApiSessionTest, DrainWaitsAndTimesOut) {
  HeldCallback callback;
  auto session = open("{}", callback.observer());
  EXPECT_TRUE(session.drain(0).ok()) << "nothing to wait for";
  EXPECT_EQ(session.drain(-1).code(), SDV2_INVALID_ARGUMENT);
  feed(session);
  callback.wait_entered();
  EXPECT_EQ(session.drain(0).code(), SDV2_BUSY) << "its chunk_done has not returned";
  callback.leave();
  EXPECT_TRUE(session.drain(INT64_MAX).ok());
  const RgbImage image(kSide, kSide);
  ASSERT_TRUE(session.put_frame(image.view()).ok());
  EXPECT_TRUE(session.drain(0).ok()) << "the open chunk is left as it is";
  EXPECT_TRUE(session.submit().ok());
}

TEST_F(ApiSessionTest, CloseAndFlushEndADrainInAnotherThread) {
  for (const bool close : {false, true}) {
    HeldCallback callback;
    std::optional<client::Session> session(open("{}", callback.observer()));
    feed(*session);
    callback.wait_entered();
    std::promise<void> begun;
    auto waiting = std::async(std::launch::async, [&, raw = session->raw()] {
      begun.set_value();
      return code_of(api().session_drain(raw, kPatience));
    });
    begun.get_future().wait();
    // Either the drain is waiting, or it comes behind the flush and finds nothing to wait for.
    auto ending = std::async(std::launch::async, [&] { EXPECT_TRUE(session->flush().ok()); });
    callback.leave();
    ending.get();
    const sdv2_code code = waiting.get();
    EXPECT_TRUE(code == SDV2_CANCELLED || code == SDV2_OK) << code;
    if (close) session.reset();
  }
}

TEST_F(ApiSessionTest, CloseWithWorkUnderWay) {
  Recorder recorder;
  for (int round = 0; round < 3; ++round) {
    auto session = open(R"({"capacity": 8})", recorder.observer());
    for (int i = 0; i < 4; ++i) feed(session);
  }
  const auto told = recorder.numbers().size();
  auto session = open();
  feed(session);
  finish(session);
  EXPECT_EQ(recorder.numbers().size(), told) << "no chunk_done behind a close";
}

TEST_F(ApiSessionTest, StatisticsCount) {
  auto session = open();
  const auto fresh = session.stats();
  EXPECT_EQ(fresh->struct_size, sizeof(sdv2_session_stats));
  EXPECT_EQ(fresh->latency_p50_ns, 0);
  EXPECT_EQ(fresh->first_frame_ns, 0);
  for (int i = 0; i < 3; ++i) feed(session);
  finish(session);
  const auto stats = session.stats();
  EXPECT_EQ(stats->chunks_submitted, 3);
  EXPECT_EQ(stats->chunks_done, 3);
  EXPECT_EQ(stats->chunks_failed + stats->chunks_dropped + stats->chunks_skipped, 0);
  EXPECT_EQ(stats->chunks_under_way, 0);
  EXPECT_EQ(stats->frames_in, 13);
  EXPECT_EQ(stats->frames_out, 13);
  EXPECT_GT(stats->latency_p50_ns, 0);
  EXPECT_LE(stats->latency_p50_ns, stats->latency_p95_ns);
  EXPECT_LE(stats->latency_p95_ns, stats->latency_p99_ns);
  EXPECT_GT(stats->first_frame_ns, 0);
  EXPECT_GT(stats->chunk_interval_ns, 0);
  EXPECT_GT(stats->noise_scale, 0);
}

TEST_F(ApiSessionTest, StatisticsAsJson) {
  auto session = open(R"({"prompt": "x"})");
  feed(session);
  finish(session);
  const auto json = nlohmann::json::parse(*session.stats_json());
  ASSERT_GE(json["stages"].size(), 3U);
  for (const auto& stage : json["stages"]) {
    EXPECT_TRUE(stage["name"].is_string());
    EXPECT_EQ(stage["device"], "cpu");
    for (const char* key : {"count", "p50_ms", "p95_ms", "p99_ms"})
      EXPECT_TRUE(stage[key].is_number()) << key;
  }
  EXPECT_GT(json["latency"]["p95_ms"], 0);
  EXPECT_EQ(json["settings"]["prompt"], "x");
  EXPECT_EQ(json["settings"]["width"], kSide);
  EXPECT_EQ(json["generation"], 0);
  EXPECT_TRUE(json["memory"]["host_bytes"].is_number());
  EXPECT_TRUE(json["memory"]["devices"].is_array());
  EXPECT_TRUE(json["plan"].is_string());
}

TEST_F(ApiSessionTest, StillPicturesAreSkippedOnlyWhenAsked) {
  Recorder recorder;
  auto session = open(R"({"similarity_filter": 0.5, "capacity": 16})", recorder.observer());
  for (int i = 0; i < 12; ++i) feed(session, 0, {90, 120, 40});
  finish(session);
  const auto entries = recorder.entries();
  const auto skipped =
      std::count_if(entries.begin(), entries.end(), [](const auto& info) { return info.steps == 0; });
  EXPECT_GT(skipped, 0);
  EXPECT_EQ(entries.front().steps, 2);
  EXPECT_EQ(session.stats()->chunks_skipped, skipped);
  EXPECT_EQ(session.stats()->frames_out, 49);
}

}  // namespace
}  // namespace sdv2
