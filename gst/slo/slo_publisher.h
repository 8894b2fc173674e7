// SPDX-License-Identifier: LGPL-2.1-or-later
// Gets the meter's reports out: element messages, a log of JSON lines, a metrics file for Prometheus.
#pragma once

#include <gst/gst.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/gst_ptr.h"
#include "slo/slo_filter.h"

namespace sdv2 {

// Reports leave from a thread of their own, so that files and the bus never delay the stream; only the final
// one leaves from its caller.
class SloPublisher {
 public:
  // Both outlive this object.
  SloPublisher(GstElement* element, const SloFilter& filter) : element_(element), filter_(filter) {}
  ~SloPublisher() { stop_timer(); }
  SloPublisher(const SloPublisher&) = delete;
  SloPublisher& operator=(const SloPublisher&) = delete;

  // READY to PAUSED: opens the log for appending and writes the first metrics. Empty names: no file. On
  // failure an element error has been posted.
  bool open(const std::string& log_file, const std::string& metrics_file);

  // Reports every `interval` of `clock` (not null) until stop_timer().
  void start_timer(GstClock* clock, GstClockTime interval);
  void stop_timer();

  // Reports the whole run: a message, an INFO message with a summary for people, the files. Once, until
  // begin_stream().
  void publish_final();
  // After a flush or with a new stream there will be another end.
  void begin_stream();

  // PAUSED to READY: writes the final lines when there was no end of stream, and closes the files.
  void close();

  // A structure with all fields of the report. The caller owns it.
  static GstStructure* to_structure(const SloReport& report, const char* name);

 private:
  struct CloseFile {
    void operator()(FILE* file) const { std::fclose(file); }
  };

  void run(GstClockID id);
  void post(const SloReport& report, bool final);
  void write_files(const SloReport& report, bool final);
  bool replace_metrics(const SloReport& report, std::string& problem);

  GstElement* element_;
  const SloFilter& filter_;
  GstClockID timer_ = nullptr;  // owned; only touched by start_timer() and stop_timer()
  std::thread thread_;

  std::mutex file_mutex_;  // guards what follows; held over file accesses
  std::unique_ptr<FILE, CloseFile> log_;
  std::string metrics_file_;
  bool warned_ = false;
  bool finished_ = true;  // the final report is out
};

}  // namespace sdv2
