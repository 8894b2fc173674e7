// SPDX-License-Identifier: LGPL-2.1-or-later
// When and how chunks end: order, failures, lost devices, clocks, statistics, many threads.
#include <algorithm>
#include <fstream>
#include <future>
#include <random>

#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class DeliveryTest : public StubTest {};

constexpr int64_t kMs = 1'000'000;

TEST_F(DeliveryTest, ChunksFinishedOutOfOrderAreDeliveredInOrder) {
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  for (int i = 0; i < 4; ++i) feed(session);
  EXPECT_EQ(sdv2_stub_finish(-1, 2), 1);
  EXPECT_EQ(sdv2_stub_finish(-1, 1), 1);
  EXPECT_EQ(recorder.numbers(), std::vector<int64_t>{});
  EXPECT_EQ(sdv2_stub_finish(-1, 0), 1);
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(sdv2_stub_finish(-1, 0), 0);
  EXPECT_EQ(sdv2_stub_step(-1, 2), 0) << "only one is left";
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1, 2, 3}));
}

TEST_F(DeliveryTest, FailedChunkIsLostAndAStreamBegins) {
  model(R"({"pace": "step", "fail_chunks": [{"chunk": 1, "code": "internal", "message": "as told"}]})");
  Recorder recorder;
  auto session = open(R"({"capacity": 2})", recorder.observer());
  feed(session);
  feed(session);
  ASSERT_EQ(sdv2_stub_step(-1, 2), 1);
  const auto entries = recorder.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].info.code, SDV2_INTERNAL);
  EXPECT_EQ(entries[1].message, "as told");
  EXPECT_EQ(session.chunk_frames(), 5) << "a new stream";
  const RgbImage image(4, 4);
  EXPECT_EQ(session.read_frame(1, 0, image.view()).code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(feed(session), 2) << "a failed chunk takes no room";
  EXPECT_EQ(session.stats()->chunks_failed, 1);
  EXPECT_TRUE(sdv2_stub_fail(-1, 2, SDV2_OUT_OF_MEMORY, "full") == 1);
  EXPECT_EQ(recorder.entries().back().info.code, SDV2_OUT_OF_MEMORY);
}

TEST_F(DeliveryTest, ChunkAfterAFailedOneIsTheNewStream) {
  auto session = open();
  feed(session);
  feed(session);
  EXPECT_EQ(sdv2_stub_fail(-1, 0, SDV2_INTERNAL, "x"), 1);
  EXPECT_EQ(session.chunk_frames(), 4);
}

TEST_F(DeliveryTest, LostDeviceFailsEverythingAndTheModelIsLoadedAnew) {
  Recorder first_recorder, second_recorder;
  auto first = open("{}", first_recorder.observer());
  auto second = open("{}", second_recorder.observer());
  feed(first);
  feed(first);
  feed(second);
  auto waiting = std::async(std::launch::async, [&] { return second.drain(60'000).code(); });
  sdv2_stub_kill_devices("cuda:0 fell off the bus");
  EXPECT_EQ(waiting.get(), SDV2_DEVICE);
  EXPECT_EQ(first_recorder.numbers(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(first_recorder.entries()[0].info.code, SDV2_DEVICE);
  EXPECT_NE(second_recorder.entries()[0].message.find("cuda:0 fell off the bus"), std::string::npos);
  const RgbImage image(4, 4);
  EXPECT_EQ(first.put_frame(image.view()).code(), SDV2_DEVICE);
  EXPECT_EQ(first.submit().status().code(), SDV2_DEVICE);
  EXPECT_EQ(first.set(R"({"steps": 1})").status().code(), SDV2_DEVICE);
  EXPECT_EQ(first.drain(0).code(), SDV2_DEVICE);
  EXPECT_EQ(first.reset().code(), SDV2_DEVICE);
  EXPECT_TRUE(first.flush().ok());
  EXPECT_TRUE(first.stats().ok());
  EXPECT_EQ(model().open_session("{}").status().code(), SDV2_DEVICE);
  auto again = engine().open_model(R"({"model": "any", "stub": {"pace": "step"}})");
  ASSERT_TRUE(again->wait().ok());
  EXPECT_TRUE(again->open_session("{}").ok());
  EXPECT_EQ(sdv2_stub_count().loads, 2);
}

TEST_F(DeliveryTest, ChunkThatKillsTheDeviceTakesTheNextWithIt) {
  model(R"({"pace": "virtual", "fail_chunks": [{"chunk": 0, "code": "device"}]})");
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  EXPECT_EQ(session.drain(60'000).code(), SDV2_DEVICE);
  EXPECT_EQ(recorder.entries()[0].info.code, SDV2_DEVICE);
}

TEST_F(DeliveryTest, VirtualClockGivesExactTimes) {
  model(R"({"pace": "virtual", "chunk_ms": [30, 10]})");
  Recorder recorder;
  auto session = open(R"({"capacity": 8})", recorder.observer());
  sdv2_stub_advance(5 * kMs);
  for (int i = 0; i < 3; ++i) feed(session);
  sdv2_stub_advance(29 * kMs);
  EXPECT_EQ(recorder.numbers().size(), 0U);
  sdv2_stub_advance(1 * kMs);
  EXPECT_EQ(recorder.numbers().size(), 1U);
  sdv2_stub_advance(50 * kMs);
  const auto entries = recorder.entries();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].info.submit_ns, 5 * kMs);
  EXPECT_EQ(entries[0].info.done_ns, 35 * kMs);
  EXPECT_EQ(entries[2].info.start_ns, 45 * kMs);
  EXPECT_EQ(entries[2].info.done_ns, 55 * kMs);
  EXPECT_EQ(sdv2_stub_now(), 85 * kMs);

  const auto stats = session.stats();
  EXPECT_EQ(stats->latency_p50_ns, 40 * kMs);
  EXPECT_EQ(stats->latency_p99_ns, 50 * kMs);
  EXPECT_EQ(stats->first_frame_ns, 30 * kMs);
  EXPECT_DOUBLE_EQ(stats->chunk_interval_ns, 10e6);
  EXPECT_EQ(stats->frames_out, 13);
  EXPECT_EQ(stats->chunks_under_way, 0);
  EXPECT_DOUBLE_EQ(stats->noise_scale, 0.7);
}

TEST_F(DeliveryTest, StatisticsAsJson) {
  model(R"({"pace": "virtual", "chunk_ms": 20})");
  auto session = open(R"({"prompt": "x"})");
  feed(session);
  sdv2_stub_advance(20 * kMs);
  const auto json = nlohmann::json::parse(*session.stats_json());
  ASSERT_EQ(json["stages"].size(), 3U);
  EXPECT_EQ(json["stages"][1]["name"], "denoise");
  EXPECT_EQ(json["stages"][1]["device"], "cpu");
  EXPECT_EQ(json["stages"][1]["p50_ms"], 10.0);
  EXPECT_EQ(json["stages"][1]["p99_ms"], 10.0);
  EXPECT_EQ(json["stages"][1]["count"], 1);
  EXPECT_EQ(json["latency"]["p95_ms"], 20.0);
  EXPECT_EQ(json["settings"]["prompt"], "x");
  EXPECT_TRUE(json["memory"]["host_bytes"].is_number());
  EXPECT_EQ(json["memory"]["devices"][0]["device"], "cpu");
  EXPECT_TRUE(json["plan"].is_string());
}

TEST_F(DeliveryTest, RealPaceNeedsNoStepping) {
  model(R"({"chunk_ms": 1})");
  Recorder recorder;
  auto session = open("{}", recorder.observer());
  feed(session);
  feed(session);
  EXPECT_TRUE(session.drain(60'000).ok());
  EXPECT_EQ(recorder.numbers(), (std::vector<int64_t>{0, 1}));
  const auto info = recorder.entries()[1].info;
  EXPECT_GE(info.done_ns - info.start_ns, kMs);
}

TEST_F(DeliveryTest, CloseEndsADrainInAnotherThread) {
  std::optional<client::Session> session(open());
  feed(*session);
  sdv2_session* raw = session->raw();
  std::promise<void> begun;
  // The call holds the session once it has begun; a flush that it waits for shows that it has.
  auto waiting = std::async(std::launch::async, [&] {
    begun.set_value();
    return client::Status::take(engine().functions(), sdv2_session_drain(raw, 60'000)).code();
  });
  begun.get_future().wait();
  EXPECT_TRUE(session->flush().ok());
  const sdv2_code code = waiting.get();
  EXPECT_TRUE(code == SDV2_CANCELLED || code == SDV2_OK) << code;
  session.reset();
}

TEST_F(DeliveryTest, TraceHoldsEveryChunk) {
  EXPECT_EQ(engine().trace_stop("unused").code(), SDV2_INVALID_ARGUMENT);
  EXPECT_TRUE(engine().trace_start().ok());
  EXPECT_EQ(engine().trace_start().code(), SDV2_INVALID_ARGUMENT);
  auto session = open();
  feed(session);
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  const std::string path = testing::TempDir() + "/stub-trace.json";
  EXPECT_TRUE(engine().trace_stop(path).ok());
  std::ifstream file(path);
  const auto trace = nlohmann::json::parse(file);
  EXPECT_EQ(trace["traceEvents"][0]["name"], "chunk 0");
  EXPECT_TRUE(engine().trace_start().ok());
  EXPECT_EQ(engine().trace_stop("/nowhere/trace.json").code(), SDV2_NOT_FOUND);
}

// Opens, feeds, flushes and closes sessions from several threads in an order of its own.
TEST_F(DeliveryTest, ManySessionsFromManyThreads) {
  model(R"({"chunk_ms": 0})");
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::unique_ptr<Recorder>> recorders;
    std::vector<client::Session> sessions;
    for (int i = 0; i < 16; ++i) {
      recorders.push_back(std::make_unique<Recorder>());
      sessions.push_back(open("{}", recorders.back()->observer()));
    }
    for (int i = 0; i < 200; ++i) {
      client::Session& session = sessions[random() % sessions.size()];
      const RgbImage image(4, 4);
      switch (random() % 8) {
        case 0:
          EXPECT_TRUE(session.flush().ok());
          break;
        case 1:
          EXPECT_TRUE(session.set(R"({"steps": 1})").ok());
          break;
        case 2:
          EXPECT_TRUE(session.stats_json().ok());
          break;
        default:
          if (session.put_frame(image.view()).ok() && random() % 2 == 0) {
            EXPECT_TRUE(session.submit().ok());
          }
      }
    }
    std::shuffle(sessions.begin(), sessions.end(), random);
    while (!sessions.empty()) sessions.pop_back();
    for (const auto& recorder : recorders) {
      const std::vector<int64_t> numbers = recorder->numbers();
      EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    }
  };
  std::vector<std::future<void>> threads;
  for (unsigned seed = 0; seed < 4; ++seed) threads.push_back(std::async(std::launch::async, work, seed));
  for (auto& thread : threads) thread.get();
}

}  // namespace
}  // namespace sdv2
