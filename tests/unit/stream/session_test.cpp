// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session does with pictures, settings and misuse.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

using test::load;
using test::picture;
using test::TestSession;
using test::view;

TEST(Session, ChunksHaveOneMoreLatentAtTheStart) {
  TestSession session(load());
  EXPECT_EQ(session->chunk_frames(), 5);
  session.take(session.submit_chunk());
  EXPECT_EQ(session->chunk_frames(), 4);
  ASSERT_TRUE(session->reset().ok());
  EXPECT_EQ(session->chunk_frames(), 5);
}

TEST(Session, PartialChunkGivesAsManyFramesBack) {
  TestSession session(load());
  const auto rgb = picture(0);
  ASSERT_TRUE(session->put_frame(view(rgb.data())).ok());
  ASSERT_TRUE(session->put_frame(view(rgb.data())).ok());
  const auto chunk = session->submit(INT64_MAX);
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(session.take(*chunk).size(), 2u * 64 * 64 * 3);
}

TEST(Session, WarmUpWithTheFirstFrameAlone) {
  TestSession session(load(), "{\"warm_up\": \"frame\"}");
  EXPECT_EQ(session->chunk_frames(), 1);
  EXPECT_EQ(session.take(session.submit_chunk()).size(), 64u * 64 * 3);
  EXPECT_EQ(session->chunk_frames(), 4);
  session.take(session.submit_chunk());
}

TEST(Session, BusyBeyondCapacityLosesNothing) {
  TestSession session(load(), "{\"capacity\": 1}");
  const int64_t first = session.submit_chunk();
  const auto rgb = picture(9);
  const auto put = session->put_frame(view(rgb.data()));
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().code, ErrorCode::kBusy);
  session.take(first);
  EXPECT_TRUE(session->put_frame(view(rgb.data())).ok());
}

TEST(Session, StageTimesBeginWithTheSession) {
  TestSession(load()).run(3);
  TestSession session(load());
  EXPECT_EQ(nlohmann::json::parse(session->stats_json())["stages"].size(), 0u);
  session.run(1);
  const auto stages = nlohmann::json::parse(session->stats_json())["stages"];
  EXPECT_GE(stages.size(), 3u);
  std::map<std::string, int> batches;
  for (const auto& stage : stages) batches[stage["name"]] += stage["count"].get<int>();
  EXPECT_EQ(batches["encode"], 1);
  EXPECT_EQ(batches["decode"], 1);
}

TEST(Session, ReceiptNamesTheFirstChunkWithTheChange) {
  TestSession session(load());
  session.submit_chunk();
  const auto receipt = session->set("{\"steps\": 1, \"noise_scale\": 0.5}");
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(*receipt, 1);
  session.submit_chunk();
  EXPECT_EQ(session.wait(0).steps, 2);
  EXPECT_EQ(session.wait(1).steps, 1);
}

// A stream in which only the second half differs: where the pixels begin to differ.
int first_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin());
  return static_cast<int>((in_a - a.begin()) / (64 * 64 * 3));
}

std::vector<uint8_t> run_with_change(const std::string& change, const std::string& settings = "{}") {
  TestSession session(load(), settings);
  auto pixels = session.run(3, 2);
  if (!change.empty()) {
    EXPECT_TRUE(session->set(change).ok());
  }
  const auto rest = session.run(4, 2);
  pixels.insert(pixels.end(), rest.begin(), rest.end());
  return pixels;
}

TEST(Session, EveryLiveSettingActsFromItsChunkOn) {
  const auto plain = run_with_change("");
  for (const char* change :
       {R"({"prompt": "another"})", R"({"prompt": "another", "prompt_blend": 3})",
        R"({"prompt": "another", "prompt_blend": 3, "blend": "slerp"})",
        R"({"prompt": "another", "reset_on_prompt": true})", R"({"steps": 1})", R"({"steps": 4})",
        R"({"noise_scale": 0.4})", R"({"adaptive_noise": false})", R"({"seed": 5})", R"({"mix": 0.5})",
        R"({"guidance": 2})", R"({"guidance": 2, "guidance_mode": "full", "negative_prompt": "blurry"})",
        R"({"guidance": 2, "guidance_mode": "one-time-negative", "negative_prompt": "blurry"})",
        R"({"adaptive_sink": 1})"}) {
    const auto changed = run_with_change(change);
    ASSERT_EQ(changed.size(), plain.size());
    const int where = first_difference(plain, changed);
    if (std::string(change).find("adaptive_sink") != std::string::npos) {
      EXPECT_GE(where, 13) << change;  // acts only once the ring is full
    } else {
      EXPECT_EQ(where, 13) << change;
    }
  }
}

TEST(Session, BlendEndsAtTheNewPrompt) {
  EXPECT_FALSE(run_with_change(R"({"prompt": "b"})") ==
               run_with_change(R"({"prompt": "b", "prompt_blend": 2})"));
  EXPECT_TRUE(run_with_change(R"({"prompt": "b"})") ==
              run_with_change(R"({"prompt": "b", "prompt_blend": 1})"));
}

TEST(Session, GuidanceOfOneCostsAndChangesNothing) {
  EXPECT_TRUE(run_with_change(R"({"guidance": 1, "guidance_mode": "full", "negative_prompt": "x"})") ==
              run_with_change(""));
}

TEST(Session, MixOfNothingShowsTheSource) {
  TestSession session(load(), "{\"mix\": 0}");
  const auto pixels = session.take(session.submit_chunk());
  const auto source = picture(0);
  for (size_t i = 0; i < source.size(); ++i) ASSERT_NEAR(pixels[i], source[i], 1) << i;
}

TEST(Session, SimilarityFilterSkipsAStillPicture) {
  TestSession session(load(), "{\"similarity_filter\": 0.9}");
  const auto rgb = picture(0);
  std::vector<std::vector<uint8_t>> chunks;
  for (int i = 0; i < 8; ++i) {
    const int frames = session->chunk_frames();
    for (int f = 0; f < frames; ++f) ASSERT_TRUE(session->put_frame(view(rgb.data())).ok());
    chunks.push_back(session.take(*session->submit(INT64_MAX)));
  }
  EXPECT_GT(session->stats().chunks_skipped, 3);
  // Skipped chunks repeat the picture shown last.
  const auto reports = session.reports();
  ASSERT_EQ(reports.back().steps, 0);
  const std::vector<uint8_t> last(chunks.back().end() - 12288, chunks.back().end());
  EXPECT_TRUE(std::equal(last.begin(), last.end(), chunks.back().begin()));
  EXPECT_TRUE(std::equal(last.begin(), last.end(), chunks[6].end() - 12288));
}

TEST(Session, SimilarityFilterRunsWhatMoves) {
  TestSession session(load(), "{\"similarity_filter\": 0.999}");
  session.run(6, 2);
  EXPECT_EQ(session->stats().chunks_skipped, 0);
}

TEST(Session, FlushDropsWhatIsUnderWay) {
  TestSession session(load(), "{\"capacity\": 8}");
  for (int i = 0; i < 6; ++i) session.submit_chunk();
  ASSERT_TRUE(session->flush().ok());
  const size_t told = session.reports().size();
  const SessionStats stats = session->stats();
  EXPECT_EQ(stats.generation, 1u);
  EXPECT_EQ(stats.chunks_under_way, 0);
  EXPECT_EQ(stats.chunks_dropped + static_cast<int64_t>(told), 6);
  EXPECT_EQ(session->chunk_frames(), 5);
  session.take(session.submit_chunk());
  for (const auto& report : session.reports()) EXPECT_EQ(report.generation, report.chunk < 6 ? 0u : 1u);
}

TEST(Session, DrainWaitsForAllChunks) {
  TestSession session(load());
  session.submit_chunk();
  session.submit_chunk();
  ASSERT_TRUE(session->drain(60000).ok());
  EXPECT_EQ(session.reports().size(), 2u);
  EXPECT_EQ(session->stats().frames_out, 9);
}

TEST(Session, MisuseIsAnError) {
  TestSession session(load());
  EXPECT_FALSE(session->submit(INT64_MAX).ok()) << "nothing was put";
  std::vector<uint8_t> rgb = picture(0);
  EXPECT_FALSE(session->read_frame(0, 0, view(rgb.data())).ok());
  EXPECT_FALSE(session->release_chunk(0).ok());
  EXPECT_FALSE(session->set("{\"width\": 64}").ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(session->put_frame(view(rgb.data())).ok());
  EXPECT_FALSE(session->put_frame(view(rgb.data())).ok()) << "the chunk is full";
  const int64_t chunk = *session->submit(INT64_MAX);
  session.wait(chunk);
  EXPECT_FALSE(session->read_frame(chunk, 5, view(rgb.data())).ok());
  EXPECT_FALSE(session->read_frame(chunk, -1, view(rgb.data())).ok());
}

TEST(Session, RefusesFp8LinearsWhereTheyCannotRun) {
  const auto load_with = [](const std::string& kernels, const std::string& linears) {
    return LoadedModel::load(
        {.model = test::kModel, .devices = "cpu", .kernels = kernels, .linears = linears},
        {[](const char*, int) {}, [] { return false; }});
  };
  const auto refused = load_with("auto", "fp8");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(refused.error().message,
            "there are no fp8 linears for this transformer in Float on plain kernels on cpu; they need fused "
            "kernels, BFloat16 and a Hopper GPU: choose linears=auto or bf16");
  for (const char* linears : {"auto", "bf16"}) {
    const auto model = load_with("plain", linears);
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_NE((*model)->info_json().find("\"linears\":\"fp32\""), std::string::npos);
  }
}

TEST(Session, RefusesARingThatCannotWork) {
  const auto model = load();
  EXPECT_FALSE(Session::open(model, R"({"kv_cache_frames": 2, "sink_frames": 2})", nullptr).ok());
  EXPECT_FALSE(Session::open(model, R"({"kv_cache_frames": 3, "sink_frames": 5})", nullptr).ok());
}

}  // namespace
}  // namespace sdv2
