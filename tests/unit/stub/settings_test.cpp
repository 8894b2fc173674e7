// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings: what is refused, when changes take effect, and what pixels tell of them.
#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class SettingsTest : public StubTest {
 protected:
  // The picture of the next chunk.
  static Rgb next(client::Session& session, Rgb colour = {10, 20, 30}) {
    const int64_t chunk = feed(session, 1, colour);
    EXPECT_EQ(sdv2_stub_step(-1, 1), 1);
    const Rgb pixel = read(session, chunk);
    EXPECT_TRUE(session.release_chunk(chunk).ok());
    return pixel;
  }
  static nlohmann::json current(client::Session& session) {
    return nlohmann::json::parse(*session.stats_json())["settings"];
  }
};

TEST_F(SettingsTest, ChangesAreTakenTogetherOrNotAtAll) {
  auto session = open();
  EXPECT_EQ(session.set(R"({"steps": 3, "mix": 2})").status().code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(session.set(R"({"steps": 3, "width": 64})").status().code(), SDV2_INVALID_ARGUMENT) << "not live";
  EXPECT_EQ(session.set(R"({"stub": {}})").status().code(), SDV2_INVALID_ARGUMENT);
  feed(session);
  EXPECT_EQ(current(session)["steps"], 2);
}

TEST_F(SettingsTest, ReceiptNamesTheFirstChunkMadeWithTheChange) {
  auto session = open();
  EXPECT_EQ(next(session), expect("{}"));
  const auto receipt = session.set(R"({"prompt": "oil painting", "seed": 7})");
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(*receipt, 1);
  const Rgb painted = next(session);
  EXPECT_EQ(painted, expect(R"({"prompt": "oil painting", "seed": 7})"));
  EXPECT_NE(painted, expect("{}"));
  EXPECT_NE(painted, expect(R"({"prompt": "oil painting"})"));
  EXPECT_EQ(*session.set("{}"), 2);
}

TEST_F(SettingsTest, ChunkUnderWayKeepsItsSettings) {
  auto session = open();
  feed(session);
  ASSERT_TRUE(session.set(R"({"prompt": "later"})").ok());
  ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
  EXPECT_EQ(read(session, 0), expect("{}"));
}

TEST_F(SettingsTest, SlowPromptComesLaterThanOtherChanges) {
  model(R"({"pace": "step", "prompt_chunks": 2})");
  auto session = open();
  EXPECT_EQ(*session.set(R"({"prompt": "slow"})"), 2);
  EXPECT_EQ(*session.set(R"({"steps": 1})"), 2) << "made with all the changes so far";
  EXPECT_EQ(next(session), expect("{}"));
  EXPECT_EQ(next(session), expect("{}"));
  EXPECT_EQ(next(session), expect(R"({"prompt": "slow", "steps": 1})"));
}

TEST_F(SettingsTest, NumbersTellTheSameWhateverTheirSpelling) {
  EXPECT_EQ(expect(R"({"guidance": 2})"), expect(R"({"guidance": 2.0})"));
  EXPECT_NE(expect(R"({"guidance": 2})"), expect(R"({"guidance": 3})"));
  EXPECT_EQ(expect("{}", {0, 100, 255}), (Rgb{255, 155, 0}));
}

TEST_F(SettingsTest, PromptIsFadedInOverChunks) {
  auto session = open(R"({"prompt_blend": 3})");
  const Rgb before = next(session);
  const Rgb after = expect(R"({"prompt": "b"})");
  ASSERT_TRUE(session.set(R"({"prompt": "b"})").ok());
  std::vector<Rgb> pictures;
  for (int i = 0; i < 4; ++i) pictures.push_back(next(session));
  EXPECT_NE(pictures[0], before);
  EXPECT_NE(pictures[0], pictures[1]);
  EXPECT_NE(pictures[1], after);
  EXPECT_EQ(pictures[2], after) << "the last of three chunks";
  EXPECT_EQ(pictures[3], after);
}

TEST_F(SettingsTest, MixKeepsTheSource) {
  auto session = open(R"({"mix": 0, "prompt": "any"})");
  EXPECT_EQ(next(session), (Rgb{10, 20, 30}));
  ASSERT_TRUE(session.set(R"({"mix": 0.5, "prompt": ""})").ok());
  EXPECT_EQ(next(session, {0, 100, 255}), (Rgb{128, 128, 128}));
}

TEST_F(SettingsTest, SimilarityFilterRepeatsAStaticChunk) {
  Recorder recorder;
  auto session = open(R"({"similarity_filter": 0.9})", recorder.observer());
  const Rgb first = next(session);
  ASSERT_TRUE(session.set(R"({"prompt": "x"})").ok());
  EXPECT_EQ(next(session), first);
  EXPECT_EQ(recorder.entries().back().info.steps, 0);
  EXPECT_EQ(next(session, {90, 90, 90}), expect(R"({"prompt": "x"})", {90, 90, 90}));
  EXPECT_EQ(recorder.entries().back().info.steps, 2);
  EXPECT_EQ(session.stats()->chunks_skipped, 1);
}

}  // namespace
}  // namespace sdv2
