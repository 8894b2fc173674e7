// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.h"

#include <mutex>

namespace sdv2 {
namespace {

struct Log {
  std::mutex mutex;
  LogLevel level = LogLevel::kError;
  std::function<void(LogLevel, const std::string&)> sink;
};

Log& log() {
  static Log log;
  return log;
}

void write(LogLevel level, const std::string& message) {
  const std::lock_guard lock(log().mutex);
  if (log().sink && level <= log().level) log().sink(level, message);
}

}  // namespace

void set_log(LogLevel level, std::function<void(LogLevel, const std::string&)> sink) {
  const std::lock_guard lock(log().mutex);
  log().level = level;
  log().sink = std::move(sink);
}

void log_warning(const std::string& message) { write(LogLevel::kWarning, message); }
void log_info(const std::string& message) { write(LogLevel::kInfo, message); }

}  // namespace sdv2
