// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors of the stub engine as the status objects of the C ABI.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "base/result.h"
#include "sdv2/sdv2.h"

namespace sdv2::stub {

// The code of the ABI for an error inside, and the other way; kInternal for SDV2_OK.
sdv2_code to_code(ErrorCode code);
ErrorCode from_code(sdv2_code code);

// The error code of a word of base/result.h ("out of memory"). Errors: kInvalidArgument.
Result<ErrorCode> parse_error_code(const std::string& word);

// A status (or string) that the caller frees through the ABI. Both are counted, see live_objects.
sdv2_status* new_status(const Error& error);
char* new_string(const std::string& text);

// Statuses and strings that were given out and not freed.
int live_objects();

inline Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

// Runs one call of the ABI: a Result<void> becomes a status, and nothing is thrown over the border.
template <class Call>
sdv2_status* guarded(Call&& call) noexcept {
  try {
    try {
      const Result<void> result = call();
      return result.ok() ? nullptr : new_status(result.error());
    } catch (const std::bad_alloc&) {
      return new_status({ErrorCode::kOutOfMemory, "out of memory"});
    } catch (const std::exception& error) {
      return new_status({ErrorCode::kInternal, error.what()});
    }
  } catch (...) {
    std::terminate();  // no memory for the status itself
  }
}

}  // namespace sdv2::stub
