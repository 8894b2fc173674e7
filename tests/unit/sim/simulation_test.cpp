// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/sim/report.h"

namespace sdv2::sim {
namespace {

RunResult run(std::vector<const char*> arguments, Policy policy = Policy::kSlo) {
  const auto options = parse_options(arguments);
  EXPECT_TRUE(options.ok()) << options.error().message;
  const auto result = simulate(*options, CostBook(options->costs), policy);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return *result;
}

TEST(Simulation, EveryChunkIsCountedOnce) {
  for (const Policy policy : kPolicies)
    for (const char* streams : {"5", "30", "6:steps=3", "40:degrade=none"}) {
      const RunResult result = run({"--streams", streams, "--seconds", "10"}, policy);
      EXPECT_EQ(result.chunks, result.met + result.late + result.filled);
      // 6 chunks a second and stream; at the ends one more or less.
      EXPECT_NEAR(static_cast<double>(result.chunks), 60.0 * result.streams, result.streams)
          << to_string(policy);
    }
}

TEST(Simulation, TheSameSeedGivesTheSameResult) {
  const std::vector<const char*> arguments{"--streams", "20", "--seconds", "10", "--seed", "5"};
  const auto options = parse_options(arguments);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(json_report(*options, {run(arguments)}), json_report(*options, {run(arguments)}));
}

TEST(Simulation, ALightLoadIsMetByEverybodyAtFullQuality) {
  for (const Policy policy : kPolicies) {
    const RunResult result = run({"--streams", "8", "--seconds", "20"}, policy);
    EXPECT_EQ(result.met, result.chunks) << to_string(policy);
    EXPECT_EQ(result.quality_changes, 0);
    EXPECT_EQ(result.longest_freeze_s, 0);
  }
}

// 12 streams need about 63 % of the GPU; at half its speed they do not fit.
TEST(Simulation, ALoadStepStaysWithinItsBounds) {
  const RunResult result = run({"--streams", "12", "--seconds", "60", "--slow", "0@20+20x2"});
  EXPECT_GE(result.attainment(), 0.995);
  EXPECT_LE(result.latency_max_s, 0.5);
  EXPECT_LE(result.longest_freeze_s, 0.3);
  EXPECT_GT(result.quality_changes, 0);
  EXPECT_GE(result.recovered_s, 0);
  EXPECT_LE(result.recovered_s, 5);
  const RunResult unmanaged =
      run({"--streams", "12", "--seconds", "60", "--slow", "0@20+20x2"}, Policy::kNone);
  EXPECT_LT(unmanaged.attainment(), 0.9);
}

TEST(Simulation, RepeatingAloneBoundsLatencyAndFreezes) {
  const RunResult result = run({"--streams", "30:degrade=repeat", "--seconds", "20"});
  EXPECT_LE(result.latency_max_s, 0.7);
  EXPECT_LE(result.longest_freeze_s, 0.3);
  EXPECT_GT(result.filled, 0);
}

TEST(Simulation, StreamsThatGiveUpNothingRunHoweverLate) {
  const RunResult result = run({"--streams", "30:degrade=none", "--seconds", "20"});
  EXPECT_EQ(result.filled, 0);
  EXPECT_GT(result.latency_max_s, 0.7);
}

TEST(Simulation, ImportantStreamsKeepTheirQuality) {
  const RunResult result =
      run({"--streams", "4:priority=1:degrade=none", "--streams", "36", "--seconds", "20"});
  EXPECT_GE(result.attainment(), 0.99);
}

TEST(Simulation, BatchingPaysWhereRowsShareTime) {
  const std::vector<const char*> arguments{"--streams", "14", "--shared-ms", "10", "--seconds", "20"};
  EXPECT_GE(run(arguments).attainment(), 0.999);
  EXPECT_GT(run(arguments).rows_per_batch, 1.2);
  EXPECT_LT(run(arguments, Policy::kNone).attainment(), 0.5);
}

TEST(Simulation, AdmissionRefusesWhatDoesNotFit) {
  const RunResult result = run({"--streams", "40", "--admit", "--seconds", "10"});
  EXPECT_GT(result.refused, 0);
  EXPECT_EQ(result.streams + result.refused, 40);
  EXPECT_THAT(result.refusal, testing::HasSubstr("% of gpu 0, "));
  EXPECT_EQ(result.quality_changes, 0);
  EXPECT_EQ(result.met, result.chunks);
}

TEST(Simulation, APipelineOverGpusServesWhatOneCannot) {
  const std::vector<const char*> one{
      "--model", "14b", "--streams", "1:size=480x832:latency=900:degrade=none", "--seconds", "20"};
  std::vector<const char*> four = one;
  four.insert(four.end(), {"--gpus", "4", "--gpus-per-stream", "4"});
  EXPECT_GE(run(four).attainment(), 0.999);
}

TEST(Simulation, PlotsAreDocuments) {
  const std::vector<const char*> arguments{"--streams", "4", "--seconds", "3"};
  const auto options = parse_options(arguments);
  ASSERT_TRUE(options.ok());
  const std::vector<RunResult> runs{run(arguments)};
  for (const std::string& plot : {time_plot(*options, runs), sweep_plot(runs)}) {
    EXPECT_THAT(plot, testing::StartsWith("<svg"));
    EXPECT_THAT(plot, testing::EndsWith("</svg>\n"));
    EXPECT_THAT(plot, testing::Not(testing::HasSubstr("nan")));
  }
}

}  // namespace
}  // namespace sdv2::sim
