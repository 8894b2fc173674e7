// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes reports: JSON lines, Prometheus text, a summary for people.
#include "slo/slo_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace sdv2 {
namespace {

constexpr double kSecond = 1e9;
constexpr double kMillisecond = 1e6;

struct JsonFields {
  nlohmann::ordered_json& object;
  void count(const std::string& name, uint64_t value, const std::string&) { object[name] = value; }
  void level(const std::string& name, uint64_t value, const std::string&) { object[name] = value; }
  void time(const std::string& name, int64_t value, const std::string&) { object[name] = value; }
  void real(const std::string& name, double value, const std::string&) { object[name] = value; }
};

std::string format(const char* pattern, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern,
                values...);  // NOLINT(clang-diagnostic-format-nonliteral): only literals come here
  return text;
}

class PrometheusFields {
 public:
  explicit PrometheusFields(const std::string& element) {
    for (const char c : element) {
      if (c == '\\' || c == '"') element_ += '\\';
      c == '\n' ? element_ += "\\n" : element_ += c;
    }
  }
  void count(const std::string& name, uint64_t value, const std::string& help) {
    add(name + "_total", "counter", help, std::to_string(value));
  }
  void level(const std::string& name, uint64_t value, const std::string& help) {
    add(name, "gauge", help, std::to_string(value));
  }
  void time(const std::string& name, int64_t value, const std::string& help) {
    add(name + "_seconds", "gauge", help, format("%.9g", static_cast<double>(value) / kSecond));
  }
  void real(const std::string& name, double value, const std::string& help) {
    add(name, "gauge", help, format("%.9g", value));
  }
  std::string take() { return std::move(text_); }

 private:
  void add(std::string name, const char* type, const std::string& help, const std::string& value) {
    std::replace(name.begin(), name.end(), '-', '_');
    name = "sdv2_slo_" + name;
    text_ += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    text_ += name + "{element=\"" + element_ + "\"} " + value + "\n";
  }
  std::string element_;
  std::string text_;
};

std::string milliseconds(const Quantiles& q) {
  const auto ms = [](int64_t t) { return static_cast<double>(t) / kMillisecond; };
  return format("p50 %.1f, p90 %.1f, p95 %.1f, p99 %.1f, max %.1f ms", ms(q.p50), ms(q.p90), ms(q.p95),
                ms(q.p99), ms(q.max));
}

}  // namespace

std::string to_json_line(const SloReport& report, const std::string& time, const std::string& element,
                         bool final) {
  nlohmann::ordered_json object = {{"time", time}, {"element", element}, {"final", final}};
  JsonFields fields{object};
  visit_fields(report, fields);
  // Names come from applications: what is no UTF-8 must not end the pipeline.
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_prometheus(const SloReport& report, const std::string& element) {
  PrometheusFields fields(element);
  visit_fields(report, fields);
  return fields.take();
}

std::string to_summary(const SloReport& r) {
  if (r.frames == 0) return "no frames";
  std::string text = format(
      "%llu frames in %.2f s (%.2f/s), the first after %.2f s", static_cast<unsigned long long>(r.frames),
      static_cast<double>(r.run_time) / kSecond, r.rate, static_cast<double>(r.first_frame_time) / kSecond);
  if (r.latency.count > 0) {
    text += "; latency " + milliseconds(r.latency) + format(", slope %+.2f ms/min", r.latency_slope);
    text += format(", jitter %.1f ms", static_cast<double>(r.jitter) / kMillisecond);
  }
  if (r.mark_latency.count > 0) text += "; by marks " + milliseconds(r.mark_latency);
  if (r.gap.count > 0) text += "; gaps " + milliseconds(r.gap);
  text += format("; longest freeze %.2f s", static_cast<double>(r.longest_freeze) / kSecond);
  text += format(
      "; late %llu, rate misses %llu, dropped %llu", static_cast<unsigned long long>(r.late_frames),
      static_cast<unsigned long long>(r.rate_misses), static_cast<unsigned long long>(r.dropped_frames));
  return text;
}

}  // namespace sdv2
