// SPDX-License-Identifier: LGPL-2.1-or-later
// The sub-commands of sdv2-model. Each takes the words behind its name and returns the exit code: 0 all well,
// 1 something is wrong with the files (told on stderr), 2 wrong usage.
#pragma once

#include <span>
#include <string_view>

namespace sdv2::model_tool {

using Arguments = std::span<const std::string_view>;

int run_inspect(Arguments arguments);
int run_check(Arguments arguments);
int run_import(Arguments arguments);
int run_run(Arguments arguments);

}  // namespace sdv2::model_tool
