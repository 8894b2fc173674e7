// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2_set_log.
#include "base/log.h"
#include "base/enum_number.h"

#include "sdv2/sdv2.h"

static_assert(static_cast<int>(sdv2::LogLevel::kError) == SDV2_LOG_ERROR);
static_assert(static_cast<int>(sdv2::LogLevel::kDebug) == SDV2_LOG_DEBUG);

void sdv2_set_log(sdv2_log_level level, void (*log)(void* user, sdv2_log_level level, const char* message),
                  void* user) {
  if (log == nullptr) {
    sdv2::set_log(sdv2::LogLevel::kError, nullptr);
    return;
  }
  sdv2::set_log(static_cast<sdv2::LogLevel>(sdv2::enum_number(level)),
                [log, user](sdv2::LogLevel message_level, const std::string& text) {
                  log(user, static_cast<sdv2_log_level>(message_level), text.c_str());
                });
}
