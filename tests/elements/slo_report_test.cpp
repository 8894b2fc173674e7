// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2slo: reports by message, log file and metrics file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "helpers.h"

namespace sdv2::testing {
namespace {

// A folder that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    gchar* made = g_dir_make_tmp("sdv2-test-XXXXXX", nullptr);
    path_ = made;
    g_free(made);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const char* name) const { return path_ / name; }
  size_t files() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<nlohmann::json> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

struct Report {
  guint64 frames = 0;
  gboolean final = FALSE;
};

Report wait_for_report(ElementHarness& h) {
  Report report;
  GstMessage* message = h.wait_for_message(GST_MESSAGE_ELEMENT);
  if (message == nullptr) {
    ADD_FAILURE() << "no report";
    return report;
  }
  const GstStructure* structure = gst_message_get_structure(message);
  EXPECT_TRUE(gst_structure_has_name(structure, "sdv2-slo"));
  EXPECT_TRUE(gst_structure_get(structure, "frames", G_TYPE_UINT64, &report.frames, "final", G_TYPE_BOOLEAN,
                                &report.final, nullptr));
  gst_message_unref(message);
  return report;
}

TEST(SloReports, ComeAtEachIntervalOfTheClock) {
  ElementHarness h("sdv2slo", {{"interval", "2000000000"}});
  for (guint64 i = 1; i <= 3; ++i) {
    h.push(0);
    gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
    gst_harness_crank_single_clock_wait(h.harness());
    const Report report = wait_for_report(h);
    EXPECT_EQ(report.frames, i);
    EXPECT_FALSE(report.final);
    GstTestClock* clock = gst_harness_get_testclock(h.harness());
    EXPECT_EQ(gst_clock_get_time(GST_CLOCK(clock)), i * 2 * GST_SECOND);
    gst_object_unref(clock);
  }
}

TEST(SloReports, AnIntervalOfZeroReportsAtTheEndOnly) {
  ElementHarness h("sdv2slo", {{"interval", "0"}});
  h.push(0);
  GstTestClock* clock = gst_harness_get_testclock(h.harness());
  EXPECT_EQ(gst_test_clock_peek_id_count(clock), 0u);
  gst_object_unref(clock);
  h.eos();
  EXPECT_TRUE(wait_for_report(h).final);
}

TEST(SloReports, EosBringsTheFinalReportAndASummaryOnce) {
  ElementHarness h("sdv2slo", {});
  h.push(0);
  h.push(50 * kMs);
  h.eos();
  const Report report = wait_for_report(h);
  EXPECT_EQ(report.frames, 2u);
  EXPECT_TRUE(report.final);
  GstMessage* info = h.wait_for_message(GST_MESSAGE_INFO);
  ASSERT_NE(info, nullptr);
  GError* text = nullptr;
  gst_message_parse_info(info, &text, nullptr);
  EXPECT_EQ(std::string(text->message).rfind("2 frames in", 0), 0u) << text->message;
  g_error_free(text);
  gst_message_unref(info);
  h.out().wait_for("eos");
}

TEST(SloReports, AFlushAfterEosBringsAnotherEnd) {
  ElementHarness h("sdv2slo", {});
  h.eos();
  EXPECT_TRUE(wait_for_report(h).final);
  h.flush();
  h.eos();
  EXPECT_TRUE(wait_for_report(h).final);
}

TEST(SloReports, LogIsAppendedAsJsonLines) {
  const TemporaryFolder folder;
  const std::string path = folder.file("slo.jsonl");
  for (int run = 0; run < 2; ++run) {
    ElementHarness h("sdv2slo", {{"log-file", path.c_str()}, {"name", "meter"}});
    h.push(0);
    gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
    gst_harness_crank_single_clock_wait(h.harness());
    gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);  // the report is out
    h.eos();
    EXPECT_EQ(read_lines(path).size(), 2u * (static_cast<size_t>(run) + 1));
  }
  const auto lines = read_lines(path);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["element"], "meter");
  EXPECT_EQ(lines[0]["final"], false);
  EXPECT_EQ(lines[0]["frames"], 1);
  EXPECT_EQ(lines[1]["final"], true);
  EXPECT_TRUE(lines[0]["time"].get<std::string>().ends_with("Z"));
}

TEST(SloReports, WithoutEosTheLogEndsWithTheLastNumbers) {
  const TemporaryFolder folder;
  const std::string path = folder.file("slo.jsonl");
  ElementHarness h("sdv2slo", {{"log-file", path.c_str()}});
  h.push(0);
  gst_element_set_state(h.element(), GST_STATE_NULL);
  const auto lines = read_lines(path);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["final"], true);
  EXPECT_EQ(lines[0]["frames"], 1);
}

TEST(SloReports, MetricsAreReplacedAsAWhole) {
  const TemporaryFolder folder;
  const std::string path = folder.file("slo.prom");
  ElementHarness h("sdv2slo", {{"metrics-file", path.c_str()}, {"name", "meter"}});
  EXPECT_NE(read_all(path).find("sdv2_slo_frames_total{element=\"meter\"} 0\n"), std::string::npos);
  std::ifstream reader(path);  // has the old file open
  h.push(0);
  gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
  gst_harness_crank_single_clock_wait(h.harness());
  gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
  EXPECT_NE(read_all(path).find("sdv2_slo_frames_total{element=\"meter\"} 1\n"), std::string::npos);
  std::stringstream old;
  old << reader.rdbuf();
  EXPECT_NE(old.str().find("sdv2_slo_frames_total{element=\"meter\"} 0\n"), std::string::npos);
  EXPECT_EQ(folder.files(), 1u);  // no temporary file stays
}

TEST(SloReports, FilesThatCannotBeWrittenAreAnErrorAtTheStart) {
  for (const char* property : {"log-file", "metrics-file"}) {
    GstElement* element = gst_element_factory_make("sdv2slo", nullptr);
    GstBus* bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    g_object_set(element, property, "/nonexistent/folder/file", nullptr);
    EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << property;
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    ASSERT_NE(message, nullptr);
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
    EXPECT_NE(std::string(error->message).find("/nonexistent/folder/file"), std::string::npos);
    g_error_free(error);
    gst_message_unref(message);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, nullptr);
    gst_object_unref(bus);
    gst_object_unref(element);
  }
}

TEST(SloReports, AFullDiskIsOneWarning) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  ElementHarness h("sdv2slo", {{"log-file", "/dev/full"}});
  for (int i = 0; i < 2; ++i) {
    gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
    gst_harness_crank_single_clock_wait(h.harness());
  }
  gst_harness_wait_for_clock_id_waits(h.harness(), 1, 10);
  EXPECT_EQ(h.count_messages(GST_MESSAGE_WARNING), 1u);
}

}  // namespace
}  // namespace sdv2::testing
