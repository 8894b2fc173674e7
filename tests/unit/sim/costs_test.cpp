// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/costs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace sdv2::sim {
namespace {

double total_ms(const std::vector<UnitTime>& units) {
  double sum = 0;
  for (const UnitTime& unit : units) sum += unit.seconds;
  return sum * 1e3;
}

double step_ms(const DitSize& dit, int height, int width, bool fp8) {
  return 1e3 * (patch_time(dit, height, width, 1).seconds + head_time(dit, height, width, 1).seconds +
                dit.layers * block_time(dit, height, width, 1, 6, fp8).seconds);
}

// The published table of the roofline model (milliseconds, two decimals).
TEST(Roofline, IsThatOfTheTable) {
  EXPECT_NEAR(step_ms(kDit1_3B, 480, 832, false), 9.31, 0.005);
  EXPECT_NEAR(step_ms(kDit1_3B, 480, 832, true), 7.04, 0.005);
  EXPECT_NEAR(step_ms(kDit1_3B, 512, 512, false), 5.36, 0.005);
  EXPECT_NEAR(step_ms(kDit14B, 480, 832, false), 66.48, 0.005);
  EXPECT_NEAR(step_ms(kDit14B, 720, 1280, true), 148.01, 0.005);
  EXPECT_NEAR(total_ms(wan_encoder_times(480, 832)), 10.27, 0.005);
  EXPECT_NEAR(total_ms(wan_decoder_times(480, 832)), 17.08, 0.005);
  EXPECT_NEAR(total_ms(wan_encoder_times(720, 1280)), 23.91, 0.005);
  EXPECT_NEAR(total_ms(taehv_encoder_times(480, 832)), 0.52, 0.005);
  EXPECT_NEAR(total_ms(taehv_decoder_times(480, 832)), 0.68, 0.005);
  EXPECT_NEAR(total_ms(taehv_decoder_times(512, 512)), 0.45, 0.005);
}

constexpr Unit kFirstBlock{UnitKind::kBlock, 0, 0};

TEST(CostBook, RowsShareWhatIsShared) {
  const CostBook plain({.efficiency = 1});
  const CostBook launches({.efficiency = 1, .shared_s = 0.030});
  for (int rows = 1; rows <= 4; ++rows)
    EXPECT_NEAR(launches.seconds(kFirstBlock, 512, 512, rows) - plain.seconds(kFirstBlock, 512, 512, rows),
                0.001, 1e-9);
}

class RecordedCosts : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "sdv2-sim-costs.json";
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(RecordedCosts, ReplaceTheTotals) {
  CostBook costs({});
  const auto used = costs.use_recorded(file(R"({"height": 512, "width": 512, "runs": [{"steps": 2, "stages": [
      {"name": "upload", "p50_ms": 9}, {"name": "encode", "p50_ms": 2}, {"name": "denoise 0", "p50_ms": 20},
      {"name": "denoise 1", "p50_ms": 22}, {"name": "decode", "p50_ms": 3}]}]})"));
  ASSERT_TRUE(used.ok()) << used.error().message;
  const ChainShape shape = costs.shape(1);
  double encode = 0, denoise = 0, decode = 0;
  for (int u = 0; u < shape.unit_count(); ++u) {
    const Unit unit = unit_at(shape, u);
    (unit.kind == UnitKind::kEncoderLayer   ? encode
     : unit.kind == UnitKind::kDecoderLayer ? decode
                                            : denoise) += costs.seconds(unit, 512, 512, 1);
  }
  EXPECT_NEAR(encode, 0.002, 1e-9);
  EXPECT_NEAR(denoise, 0.021, 1e-9);
  EXPECT_NEAR(decode, 0.003, 1e-9);
}

TEST_F(RecordedCosts, OtherFilesAreRefusedWithAReason) {
  const auto error = [&](const std::string& text) {
    CostBook costs({});
    const auto used = costs.use_recorded(file(text));
    return used.ok() ? "" : used.error().message;
  };
  EXPECT_THAT(error("[]"), testing::HasSubstr("no report of sdv2-bench --json"));
  EXPECT_THAT(error("{"), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(error(R"({"runs": []})"), testing::HasSubstr("\"height\" is no size"));
  EXPECT_THAT(error(R"({"height": 512, "width": 512, "runs": [3, {"stages": [{"name": 1}]}]})"),
              testing::HasSubstr("no run has times of the stages"));
  EXPECT_THAT(error(R"({"height": 512, "width": 512, "runs": [{"steps": "x", "stages": [
      {"name": "encode", "p50_ms": 2}, {"name": "denoise 0", "p50_ms": 20}, {"name": "decode", "p50_ms": 3}]}]})"),
              testing::HasSubstr("no run has times of the stages"));
}

}  // namespace
}  // namespace sdv2::sim
