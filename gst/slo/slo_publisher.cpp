// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages and files of sdv2slo.
#include "slo/slo_publisher.h"

#include <cerrno>
#include <utility>

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_slo_debug);
#define GST_CAT_DEFAULT gst_sdv2_slo_debug

namespace sdv2 {
namespace {

struct StructureFields {
  GstStructure* structure;
  void count(const std::string& name, uint64_t value, const std::string&) {
    gst_structure_set(structure, name.c_str(), G_TYPE_UINT64, static_cast<guint64>(value), nullptr);
  }
  void level(const std::string& name, uint64_t value, const std::string& help) { count(name, value, help); }
  void time(const std::string& name, int64_t value, const std::string&) {
    gst_structure_set(structure, name.c_str(), G_TYPE_INT64, static_cast<gint64>(value), nullptr);
  }
  void real(const std::string& name, double value, const std::string&) {
    gst_structure_set(structure, name.c_str(), G_TYPE_DOUBLE, value, nullptr);
  }
};

std::string date_now() {
  GDateTime* now = g_date_time_new_now_utc();
  gchar* text = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
  std::string date = text;
  g_free(text);
  g_date_time_unref(now);
  return date;
}

std::string name_of(GstElement* element) {
  gchar* text = gst_object_get_name(GST_OBJECT_CAST(element));
  std::string name = text;
  g_free(text);
  return name;
}

}  // namespace

GstStructure* SloPublisher::to_structure(const SloReport& report, const char* name) {
  StructureFields fields{gst_structure_new_empty(name)};
  visit_fields(report, fields);
  return fields.structure;
}

bool SloPublisher::open(const std::string& log_file, const std::string& metrics_file) {
  std::string problem;
  std::string path;
  {
    const std::lock_guard lock(file_mutex_);
    finished_ = false;
    warned_ = false;
    metrics_file_ = metrics_file;
    if (!log_file.empty()) {
      log_.reset(std::fopen(log_file.c_str(), "ae"));
      if (!log_) {
        problem = g_strerror(errno);
        path = log_file;
      }
    }
    if (problem.empty() && !replace_metrics({}, problem)) path = metrics_file;
    if (problem.empty()) return true;
    log_.reset();
    finished_ = true;
  }
  GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE, ("Could not open file \"%s\" for writing.", path.c_str()),
                    ("%s", problem.c_str()));
  return false;
}

// The whole new file takes the place of the old one, so that no reader sees a half. With the file mutex held.
bool SloPublisher::replace_metrics(const SloReport& report, std::string& problem) {
  if (metrics_file_.empty()) return true;
  const std::string text = to_prometheus(report, name_of(element_));
  GError* error = nullptr;
  if (g_file_set_contents_full(metrics_file_.c_str(), text.data(), static_cast<gssize>(text.size()),
                               G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error)) {
    return true;
  }
  problem = error->message;
  g_error_free(error);
  return false;
}

void SloPublisher::write_files(const SloReport& report, bool final) {
  std::string problem;
  {
    const std::lock_guard lock(file_mutex_);
    if (log_) {
      const std::string line = to_json_line(report, date_now(), name_of(element_), final) + "\n";
      if (std::fputs(line.c_str(), log_.get()) < 0 || std::fflush(log_.get()) != 0)
        problem = g_strerror(errno);
    }
    replace_metrics(report, problem);
    if (problem.empty() || std::exchange(warned_, true)) return;
  }
  GST_ELEMENT_WARNING(element_, RESOURCE, WRITE, ("Could not write the measurements to a file."),
                      ("%s", problem.c_str()));
}

void SloPublisher::post(const SloReport& report, bool final) {
  GstStructure* structure = to_structure(report, "sdv2-slo");
  gst_structure_set(structure, "final", G_TYPE_BOOLEAN, static_cast<gboolean>(final), nullptr);
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT_CAST(element_), structure));
}

void SloPublisher::start_timer(GstClock* clock, GstClockTime interval) {
  stop_timer();
  timer_ = gst_clock_new_periodic_id(clock, gst_clock_get_time(clock) + interval, interval);
  thread_ = std::thread(&SloPublisher::run, this, timer_);
}

void SloPublisher::stop_timer() {
  if (timer_ == nullptr) return;
  gst_clock_id_unschedule(timer_);
  thread_.join();
  gst_clock_id_unref(std::exchange(timer_, nullptr));
}

void SloPublisher::run(GstClockID id) {
  while (gst_clock_id_wait(id, nullptr) != GST_CLOCK_UNSCHEDULED) {
    const SloReport report = filter_.report();
    post(report, false);
    write_files(report, false);
  }
}

void SloPublisher::publish_final() {
  {
    const std::lock_guard lock(file_mutex_);
    if (std::exchange(finished_, true)) return;
  }
  const SloReport report = filter_.report();
  post(report, true);
  write_files(report, true);
  // gst-launch-1.0 prints the debug string of INFO messages only.
  const std::string text = to_summary(report);
  GError* summary = g_error_new_literal(g_quark_from_static_string("sdv2-slo"), 0, text.c_str());
  gst_element_post_message(element_, gst_message_new_info(GST_OBJECT_CAST(element_), summary, text.c_str()));
  g_error_free(summary);
}

void SloPublisher::begin_stream() {
  const std::lock_guard lock(file_mutex_);
  finished_ = false;
}

void SloPublisher::close() {
  bool ended = false;
  {
    const std::lock_guard lock(file_mutex_);
    ended = std::exchange(finished_, true);
  }
  if (!ended) write_files(filter_.report(), true);
  const std::lock_guard lock(file_mutex_);
  log_.reset();
  metrics_file_.clear();
}

}  // namespace sdv2
