// SPDX-License-Identifier: LGPL-2.1-or-later
// What happens to sessions when workers wait, fail or lose their device, and when loading is broken off.
#include <gtest/gtest.h>

#include <future>
#include <new>

#include "stream/segment_error.h"
#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

using test::load;
using test::load_anew;
using test::picture;
using test::TestSession;
using test::view;

// Stops the workers of a model before their next piece of work, until it is opened.
class Gate {
 public:
  explicit Gate(LoadedModel& model) {
    model.executor().set_watch([this](size_t, std::span<Chunk* const>) {
      std::unique_lock lock(mutex_);
      waiting_ = true;
      changed_.notify_all();
      changed_.wait(lock, [&] { return open_; });
    });
  }
  void wait_for_worker() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool waiting_ = false;
  bool open_ = false;
};

// No worker goes on before the flush has returned: only this thread opens the gate.
TEST(SessionFault, FlushDoesNotWaitForAWorker) {
  const auto model = load_anew();
  TestSession session(model);
  Gate gate(*model);
  session.submit_chunk();
  session.submit_chunk();
  gate.wait_for_worker();
  ASSERT_TRUE(session->flush().ok());
  EXPECT_EQ(session->stats().chunks_dropped, 2);
  EXPECT_EQ(session->stats().chunks_under_way, 0);
  session.rewind();
  const int64_t chunk = session.submit_chunk();  // behind the worker that still waits
  gate.open();
  EXPECT_TRUE(session.take(chunk) == TestSession(load()).run(1));
  const auto reports = session.reports();
  ASSERT_EQ(reports.size(), 1u) << "nothing of the old generation";
  EXPECT_EQ(reports.front().generation, 1u);
}

TEST(SessionFault, CloseAndOtherSessionsDoNotWaitForAWorker) {
  const auto model = load_anew();
  auto closed = std::make_unique<TestSession>(model);
  Gate gate(*model);
  closed->submit_chunk();
  gate.wait_for_worker();
  closed.reset();
  TestSession other(model);
  const int64_t chunk = other.submit_chunk();
  gate.open();
  EXPECT_TRUE(other.take(chunk) == TestSession(load()).run(1));
}

TEST(SessionFault, BusyBeyondCapacityLosesNothing) {
  const auto model = load_anew("cpu,cpu");
  TestSession session(model, "{\"capacity\": 2}");
  std::vector<uint8_t> pixels;
  {
    Gate gate(*model);
    session.submit_chunk();
    session.submit_chunk();
    gate.wait_for_worker();
    const auto rgb = picture(77);
    for (int i = 0; i < 3; ++i) {
      const auto put = session->put_frame(view(rgb.data()));
      ASSERT_FALSE(put.ok());
      EXPECT_EQ(put.error().code, ErrorCode::kBusy);
    }
    EXPECT_EQ(session->stats().frames_in, 9);
    gate.open();
    pixels = session.take(0);
    const auto second = session.take(1);
    pixels.insert(pixels.end(), second.begin(), second.end());
    ASSERT_TRUE(session->drain(60000).ok());
    model->executor().set_watch({});
  }
  const auto rest = session.run(3, 2);
  pixels.insert(pixels.end(), rest.begin(), rest.end());
  EXPECT_TRUE(pixels == TestSession(load()).run(5));
}

// Throws once, at the chunk of that index in its stream, in front of that worker's work for it.
class Fault {
 public:
  Fault(LoadedModel& model, size_t at_worker, int64_t at_chunk, std::function<void()> failure) {
    model.executor().set_watch([=, this](size_t worker, std::span<Chunk* const> chunks) {
      const bool meant =
          worker == at_worker && std::any_of(chunks.begin(), chunks.end(),
                                             [&](const Chunk* chunk) { return chunk->index == at_chunk; });
      if (meant && !done_.exchange(true)) failure();
    });
  }

 private:
  std::atomic<bool> done_ = false;
};

TEST(SessionFault, AnExceptionEndsTheStreamAndTheNextOneIsAsNew) {
  struct Kind {
    std::function<void()> failure;
    ErrorCode code;
  };
  for (const Kind& kind : {Kind{[] { throw std::runtime_error("as told"); }, ErrorCode::kInternal},
                           Kind{[] { throw std::bad_alloc(); }, ErrorCode::kOutOfMemory},
                           Kind{[] { TORCH_CHECK(false, "as told"); }, ErrorCode::kInternal}}) {
    const auto model = load_anew("cpu,cpu");
    TestSession session(model);
    const Fault fault(*model, 1, 1, kind.failure);
    for (int i = 0; i < 4; ++i) session.submit_chunk();
    session.take(0);
    for (int64_t chunk = 1; chunk < 4; ++chunk) {
      const ChunkReport report = session.wait(chunk);
      ASSERT_FALSE(report.result.ok()) << chunk;
      EXPECT_EQ(report.result.error().code, kind.code);
      EXPECT_NE(report.result.error().message, "");
    }
    EXPECT_TRUE(session->drain(60000).ok()) << "nothing is left to wait for";
    EXPECT_EQ(session->stats().chunks_failed, 3);
    EXPECT_EQ(session->chunk_frames(), 5) << "a new stream";
    session.rewind();
    EXPECT_TRUE(session.run(3) == TestSession(load()).run(3)) << "and failed chunks take no room";
  }
}

TEST(SessionFault, AnExceptionLeavesOtherSessionsAlone) {
  const auto model = load_anew();
  TestSession failing(model), other(model);
  std::atomic<bool> done = false;
  std::atomic<uint64_t> target = 0;
  model->executor().set_watch([&](size_t, std::span<Chunk* const> chunks) {
    // The failing session's chunks come first.
    if (target == 0) target = chunks.front()->session;
    if (chunks.size() == 1 && chunks.front()->session == target && !done.exchange(true))
      throw std::runtime_error("as told");
  });
  const int64_t lost = failing.submit_chunk();
  EXPECT_FALSE(failing.wait(lost).result.ok());
  EXPECT_TRUE(other.run(3) == TestSession(load()).run(3));
}

// Nothing is made from a state that a failure has left half done.
TEST(SessionFault, AChunkBehindAFailureThatIsNotYetReportedIsLostToo) {
  const auto model = load_anew();
  std::promise<void> reporting, go_on, worker_is_past;
  std::vector<ChunkReport> reports;
  auto opened = Session::open(model, "{\"width\": 64, \"height\": 64}", [&](const ChunkReport& report) {
    reports.push_back(report);
    if (report.chunk > 0) return;
    reporting.set_value();
    go_on.get_future().wait();  // the failure of the next chunk waits for this
  });
  ASSERT_TRUE(opened.ok());
  Session& session = **opened;
  const auto submit = [&] {
    const auto rgb = picture(0);
    EXPECT_TRUE(session.put_frame(view(rgb.data())).ok());
    EXPECT_TRUE(session.submit(INT64_MAX).ok());
  };
  const auto failing = reinterpret_cast<uintptr_t>(&session);
  model->executor().set_watch([&, past = false](size_t, std::span<Chunk* const> chunks) mutable {
    if (chunks.front()->session == failing && chunks.front()->index == 1) throw std::runtime_error("as told");
    if (chunks.front()->session != failing && !std::exchange(past, true)) worker_is_past.set_value();
  });
  submit();
  reporting.get_future().wait();
  submit();
  TestSession other(model);
  other.submit_chunk();
  worker_is_past.get_future().wait();
  submit();
  go_on.set_value();
  ASSERT_TRUE(session.drain(60000).ok());
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_FALSE(reports[1].result.ok());
  EXPECT_FALSE(reports[2].result.ok());
  session.close();
}

TEST(SessionFault, ALostDeviceEndsEveryCall) {
  const auto model = load_anew("cpu,cpu");
  TestSession one(model), two(model);
  const Fault fault(*model, 1, 0, [] { throw SegmentError({ErrorCode::kDevice, "it fell off the bus"}); });
  for (int i = 0; i < 3; ++i) {
    one.submit_chunk();
    two.submit_chunk();
  }
  const auto drained = [](TestSession& session) {
    const auto result = session->drain(60000);
    return result.ok() ? std::string("ok") : std::string(to_string(result.error().code));
  };
  auto first = std::async(std::launch::async, [&] { return drained(one); });
  auto second = std::async(std::launch::async, [&] { return drained(two); });
  EXPECT_EQ(first.get(), to_string(ErrorCode::kDevice));
  EXPECT_EQ(second.get(), to_string(ErrorCode::kDevice));
  for (TestSession* session : {&one, &two}) {
    const auto reports = session->reports();
    ASSERT_EQ(reports.size(), 3u) << "each chunk once";
    for (const ChunkReport& report : reports) {
      ASSERT_FALSE(report.result.ok());
      EXPECT_EQ(report.result.error().code, ErrorCode::kDevice);
      EXPECT_NE(report.result.error().message.find("fell off the bus"), std::string::npos);
    }
    const auto is_device_error = [](const auto& result) {
      return !result.ok() && result.error().code == ErrorCode::kDevice;
    };
    const auto rgb = picture(0);
    EXPECT_TRUE(is_device_error((*session)->put_frame(view(rgb.data()))));
    EXPECT_TRUE(is_device_error((*session)->submit(INT64_MAX)));
    EXPECT_TRUE(is_device_error((*session)->set("{\"steps\": 1}")));
    EXPECT_TRUE(is_device_error((*session)->reset()));
    EXPECT_TRUE(is_device_error((*session)->drain(0)));
    EXPECT_TRUE((*session)->flush().ok()) << "what is to be dropped is dropped";
    EXPECT_EQ((*session)->stats().chunks_failed, 3);
  }
  EXPECT_FALSE(Session::open(model, "{}", nullptr).ok());
}

TEST(SessionFault, AFaultThatIsAskedForStrikesOnce) {
  auto loaded = LoadedModel::load(
      {.model = test::kModel, .devices = "cpu,cpu", .fault = sdv2::Fault{.worker = 1, .chunk = 2}},
      {[](const char*, int) {}, [] { return false; }});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  TestSession session(*loaded);
  for (int i = 0; i < 4; ++i) session.submit_chunk();
  for (int64_t chunk = 2; chunk < 4; ++chunk) {
    const ChunkReport report = session.wait(chunk);
    ASSERT_FALSE(report.result.ok()) << chunk;
    EXPECT_EQ(report.result.error().code, ErrorCode::kDevice);
    EXPECT_NE(report.result.error().message.find("device1@chunk2"), std::string::npos);
  }
  const auto drained = session->drain(60000);
  ASSERT_FALSE(drained.ok());
  EXPECT_EQ(drained.error().code, ErrorCode::kDevice);
  EXPECT_EQ((*loaded)->executor().failed_worker(), 1u);
}

TEST(SessionFault, AFaultOfADeviceThatIsNotThereIsRefused) {
  const auto loaded = LoadedModel::load(
      {.model = test::kModel, .devices = "cpu", .fault = sdv2::Fault{.worker = 1, .chunk = 2}},
      {[](const char*, int) {}, [] { return false; }});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
}

// Wherever a load looks whether it is still wanted, it stops there.
TEST(SessionFault, LoadingStopsWhereverItIsCancelled) {
  int looks = 0;
  for (int stop_at = 1; stop_at < 100; ++stop_at) {
    looks = 0;
    auto loaded = LoadedModel::load({.model = test::kModel, .devices = "cpu,cpu"},
                                    {[](const char*, int) {}, [&] { return ++looks == stop_at; }});
    if (loaded.ok()) break;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(looks, stop_at);
  }
  EXPECT_GE(looks, 4) << "between the networks";
}

}  // namespace
}  // namespace sdv2
