// SPDX-License-Identifier: LGPL-2.1-or-later
// The forms in which reports leave: JSON, Prometheus text, summary.
#include "slo/slo_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace sdv2 {
namespace {

SloReport sample() {
  SloReport report;
  report.frames = 200;
  report.run_time = 9'950'000'000;
  report.rate = 20;
  report.latency = {.count = 200,
                    .min = -1'000'000,
                    .max = 80'000'000,
                    .mean = 31e6,
                    .p50 = 30'000'000,
                    .p90 = 40'000'000,
                    .p95 = 50'000'000,
                    .p99 = 70'000'000};
  report.dropped_frames = 3;
  return report;
}

TEST(SloReport, JsonIsOneLineWithIntegersInNanoseconds) {
  const std::string line = to_json_line(sample(), "2026-01-02T03:04:05.000006Z", "meter \"a\"", true);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2026-01-02T03:04:05.000006Z");
  EXPECT_EQ(json["element"], "meter \"a\"");
  EXPECT_EQ(json["final"], true);
  EXPECT_EQ(json["frames"], 200);
  EXPECT_EQ(json["latency-p50"], 30'000'000);
  EXPECT_EQ(json["latency-min"], -1'000'000);
  EXPECT_EQ(json["dropped-frames"], 3);
  EXPECT_TRUE(json["latency-p50"].is_number_integer());
  EXPECT_FALSE(json.contains("mark-latency-p50"));  // nothing is known
  EXPECT_EQ(json["mark-latency-count"], 0);
}

TEST(SloReport, JsonSurvivesBadNames) {
  EXPECT_TRUE(nlohmann::json::accept(to_json_line({}, "", "\xff\xfe\n", false)));
}

TEST(SloReport, PrometheusHasHelpTypeAndOneValuePerMetric) {
  std::istringstream text(to_prometheus(sample(), "a\"b\\c"));
  std::set<std::string> names;
  std::string line;
  std::string name;
  while (std::getline(text, line)) {
    ASSERT_EQ(line.rfind("# HELP sdv2_slo_", 0), 0u) << line;
    name = line.substr(7, line.find(' ', 7) - 7);
    ASSERT_TRUE(names.insert(name).second) << name;
    ASSERT_TRUE(std::getline(text, line));
    ASSERT_EQ(line.rfind("# TYPE " + name + " ", 0), 0u) << line;
    ASSERT_TRUE(std::getline(text, line));
    ASSERT_EQ(line.rfind(name + "{element=\"a\\\"b\\\\c\"} ", 0), 0u) << line;
    ASSERT_NO_THROW((void)std::stod(line.substr(line.find("} ") + 2)));
  }
  EXPECT_TRUE(names.contains("sdv2_slo_frames_total"));
  EXPECT_TRUE(names.contains("sdv2_slo_latency_p99_seconds"));
  EXPECT_TRUE(names.contains("sdv2_slo_window_latency_count"));
  const std::string all = to_prometheus(sample(), "m");
  EXPECT_NE(all.find("sdv2_slo_latency_p99_seconds{element=\"m\"} 0.07\n"), std::string::npos);
  EXPECT_NE(all.find("# TYPE sdv2_slo_dropped_frames_total counter\n"), std::string::npos);
}

TEST(SloReport, SummaryNamesWhatCounts) {
  const std::string text = to_summary(sample());
  EXPECT_NE(text.find("200 frames in 9.95 s (20.00/s)"), std::string::npos) << text;
  EXPECT_NE(text.find("latency p50 30.0, p90 40.0, p95 50.0, p99 70.0, max 80.0 ms"), std::string::npos)
      << text;
  EXPECT_NE(text.find("dropped 3"), std::string::npos) << text;
  EXPECT_EQ(to_summary({}), "no frames");
}

}  // namespace
}  // namespace sdv2
