// SPDX-License-Identifier: LGPL-2.1-or-later
// Many sessions at once, from several threads: for ThreadSanitizer.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

using test::load;
using test::picture;
using test::TestSession;
using test::view;

constexpr int kThreads = 4;
constexpr int kSessionsPerThread = 16;
constexpr int kCallsPerThread = 96;

// Opens sessions one after the other while it uses those that it has, in an order of its own, and closes them
// in another.
void use_sessions(const std::shared_ptr<LoadedModel>& model, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<TestSession>> sessions;
  const auto rgb = picture(static_cast<int>(seed));
  for (int i = 0; i < kCallsPerThread; ++i) {
    if (sessions.size() < kSessionsPerThread) sessions.push_back(std::make_unique<TestSession>(model));
    Session& session = **sessions[random() % sessions.size()];
    switch (random() % 8) {
      case 0:
        EXPECT_TRUE(session.flush().ok());
        break;
      case 1:
        EXPECT_TRUE(session.set("{\"steps\": 1, \"prompt\": \"" + std::to_string(i % 3) + "\"}").ok());
        break;
      case 2:
        EXPECT_NE(session.stats_json(), "");
        break;
      case 3:
        EXPECT_TRUE(session.reset().ok());
        break;
      default:
        // A chunk of one frame; no room or a flush of another moment is no fault.
        if (session.put_frame(view(rgb.data())).ok()) {
          EXPECT_TRUE(session.submit(INT64_MAX).ok());
        }
    }
  }
  std::shuffle(sessions.begin(), sessions.end(), random);
  for (auto& session : sessions) {
    if (random() % 4 == 0) {
      EXPECT_TRUE((*session)->drain(600000).ok());
    }
    const auto reports = session->reports();
    EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end(),
                               [](const auto& a, const auto& b) { return a.chunk < b.chunk; }));
    for (const ChunkReport& report : reports)
      EXPECT_TRUE(report.result.ok()) << report.result.error().message;
    session.reset();
  }
}

TEST(SessionThreads, SixtyFourSessionsInRandomOrder) {
  const auto model = load("cpu,cpu");
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) threads.emplace_back([&, t] { use_sessions(model, t); });
  for (auto& thread : threads) thread.join();
  TestSession after(model);
  EXPECT_TRUE(after.run(2) == TestSession(load()).run(2)) << "nothing is left behind";
}

}  // namespace
}  // namespace sdv2
