// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace sdv2::model_tool {

// SHA-256 of a file's contents in lower-case hex. `progress` is called after every few megabytes with the
// bytes done and in all. Errors: kNotFound (cannot be opened or read).
Result<std::string> sha256_of_file(
    const std::filesystem::path& path,
    const std::function<void(uint64_t done, uint64_t total)>& progress = nullptr);

}  // namespace sdv2::model_tool
