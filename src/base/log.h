// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages for whoever runs the engine. One sink for the whole process, none by default. Any thread.
#pragma once

#include <functional>
#include <string>

namespace sdv2 {

enum class LogLevel : int { kError = 1, kWarning, kInfo, kDebug };

// Messages of this level and the ones above go to `sink`, one at a time; an empty sink gets none.
void set_log(LogLevel level, std::function<void(LogLevel, const std::string&)> sink);

void log_warning(const std::string& message);
void log_info(const std::string& message);

}  // namespace sdv2
