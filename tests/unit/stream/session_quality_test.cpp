// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session gives up for its deadlines, and which sessions are admitted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "stream/chunk_sequence.h"
#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

using test::TestSession;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kPast = 1;

// A session of a model of its own whose chunks all come too late.
class LateSession {
 public:
  explicit LateSession(const std::string& settings) : session_(test::load_anew(), settings) {}

  ChunkReport run_late() {
    const int64_t chunk = session_.submit_chunk(false, kPast);
    const ChunkReport report = session_.wait(chunk);
    pixels_ = session_.take(chunk);
    return report;
  }
  // Until a chunk shows that, for at most so many chunks.
  ChunkReport run_until(ChunkShow show, int chunks = 100000) {
    ChunkReport report = run_late();
    for (int i = 0; report.show != show && i < chunks; ++i) report = run_late();
    return report;
  }
  const std::vector<uint8_t>& pixels() const { return pixels_; }
  TestSession& session() { return session_; }

 private:
  TestSession session_;
  std::vector<uint8_t> pixels_;  // of the last chunk
};

std::vector<uint8_t> frame(const std::vector<uint8_t>& pixels, size_t index) {
  constexpr size_t kBytes = size_t{test::kSide} * test::kSide * 3;
  return {pixels.begin() + static_cast<long>(index * kBytes),
          pixels.begin() + static_cast<long>((index + 1) * kBytes)};
}

TEST(SessionQuality, LateChunksRunWhereNothingMayBeGivenUp) {
  LateSession late("{}");
  for (int i = 0; i < 6; ++i) {
    const ChunkReport report = late.run_late();
    EXPECT_EQ(report.show, ChunkShow::kRestyled);
    EXPECT_EQ(report.rung, 0);
    EXPECT_GT(report.steps, 0);
  }
}

TEST(SessionQuality, GivesUpChunksThatWouldComeTooLateButNotAll) {
  LateSession late(R"({"degrade": ["repeat"]})");
  std::vector<bool> ran;
  std::vector<uint8_t> last;
  for (int i = 0; i < 12; ++i) {
    const ChunkReport report = late.run_late();
    ran.push_back(report.show == ChunkShow::kRestyled);
    if (!ran.back()) {
      EXPECT_EQ(report.show, ChunkShow::kRepeated);
      EXPECT_EQ(report.steps, 0);
      EXPECT_EQ(frame(late.pixels(), 0), last);
      EXPECT_EQ(frame(late.pixels(), 3), last);
    }
    last = frame(late.pixels(), ran.size() == 1 ? 4 : 3);
  }
  EXPECT_TRUE(ran[0] && ran[1]) << "what a stream begins with has to run";
  EXPECT_FALSE(std::all_of(ran.begin() + 2, ran.end(), [](bool each) { return each; }));
  for (size_t i = 2; i + 2 < ran.size(); ++i) EXPECT_TRUE(ran[i] || ran[i + 1] || ran[i + 2]) << i;
}

TEST(SessionQuality, RepeatsIntoMemoryThatOtherChunksHaveUsed) {
  TestSession session(test::load_anew(), R"({"degrade": ["repeat"]})");
  session.run(8);
  std::vector<int64_t> under_way;
  int repeated = 0;
  for (int i = 0; i < 12; ++i) {
    under_way.push_back(session.submit_chunk(false, kPast));
    if (under_way.size() < 3) continue;
    repeated += session.wait(under_way.front()).show == ChunkShow::kRepeated;
    session.take(under_way.front());
    under_way.erase(under_way.begin());
  }
  EXPECT_GT(repeated, 0);
}

TEST(SessionQuality, FadesToTheSourceWhenAllElseIsLate) {
  LateSession late(R"({"degrade": ["source"]})");
  const ChunkReport first = late.run_until(ChunkShow::kSource);
  ASSERT_EQ(first.show, ChunkShow::kSource);
  EXPECT_EQ(first.rung, 1);
  EXPECT_EQ(first.steps, 0);
  const auto fading = late.pixels();
  const auto second = late.run_late();
  ASSERT_EQ(second.show, ChunkShow::kSource);
  // The picture that went in, which the model's size leaves as it is: its bright square stands out.
  const auto source = late.pixels();
  EXPECT_NE(frame(fading, 0), frame(fading, 3));
  const auto bright = [](const std::vector<uint8_t>& rgb) { return std::count(rgb.begin(), rgb.end(), 250); };
  EXPECT_GT(bright(frame(source, 0)), 200);
  EXPECT_GT(bright(frame(fading, 3)), 200);
  EXPECT_EQ(late.session()->stats().rung, 1);
}

TEST(SessionQuality, WithoutDeadlinesNothingIsGivenUp) {
  TestSession session(test::load_anew(), R"({"degrade": ["steps", "repeat", "source"], "target_fps": 1000})");
  session.run(8);
  for (const ChunkReport& report : session.reports()) EXPECT_EQ(report.rung, 0);
}

TEST(SessionQuality, EveryOtherChunkIsSpareOnceTheStreamHasBegun) {
  const auto model = test::load();
  SessionSettings settings = model->default_settings();
  settings.width = settings.height = test::kSide;
  ChunkSequence sequence(model, settings, *model->stream_shape(settings));
  const Quality quality{.steps = 1, .show = Quality::Show::kEveryOther};
  std::vector<bool> spare;
  for (int i = 0; i < 6; ++i) spare.push_back(sequence.next(quality)->spare);
  EXPECT_THAT(spare, ElementsAre(false, false, true, false, true, false));
  LiveSettings live = settings.live;
  live.prompt = "another";
  sequence.change(live);
  EXPECT_FALSE(sequence.next(quality)->spare) << "a new prompt has to reach the model";
}

TEST(SessionQuality, RefusesASessionThatDoesNotFitAndSaysWhatWould) {
  const auto model = test::load_anew();
  TestSession running(model, R"({"steps": 2})");
  running.run(12);  // costs are known now
  const std::string size = "\"width\": 64, \"height\": 64, \"steps\": 2, ";
  const auto open = [&](const std::string& settings) {
    return Session::open(model, "{" + size + settings + "}", [](const ChunkReport&) {});
  };
  const auto short_latency = open(R"("target_fps": 30, "target_latency": 1)");
  ASSERT_FALSE(short_latency.ok());
  EXPECT_EQ(short_latency.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(short_latency.error().message, HasSubstr("the target is 1 ms"));

  std::vector<std::shared_ptr<Session>> sessions;
  Error refusal;
  for (int i = 0; i < 1000 && refusal.message.empty(); ++i) {
    auto opened = open(R"("target_fps": 1000)");
    if (opened.ok())
      sessions.push_back(*opened);
    else
      refusal = opened.error();
  }
  EXPECT_EQ(refusal.code, ErrorCode::kBusy);
  EXPECT_THAT(refusal.message, HasSubstr("of cpu"));
  for (const auto& session : sessions) session->close();
  EXPECT_TRUE(open(R"("target_fps": 0.001)").ok()) << "their room is free again";
  EXPECT_TRUE(open(R"("priority": 1)").ok()) << "who has no target is not refused";
}

}  // namespace
}  // namespace sdv2
