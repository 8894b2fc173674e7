// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors of the engine as status objects of the C ABI.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "base/result.h"
#include "sdv2/sdv2.h"

struct sdv2_status {
  sdv2_code code;
  std::string message;
};

namespace sdv2 {

sdv2_code to_code(ErrorCode code);

// Owned by the caller of the C ABI.
sdv2_status* to_status(const Error& error);
inline sdv2_status* to_status(const Result<void>& result) {
  return result.ok() ? nullptr : to_status(result.error());
}

sdv2_status* invalid(const char* message);

// A copy that the caller of the C ABI frees.
char* to_c_string(const std::string& text);

// Runs a call of the C ABI, which returns a status; no exception leaves it.
template <class Call>
sdv2_status* guarded(Call&& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return to_status(Error{ErrorCode::kOutOfMemory, "the host is out of memory"});
  } catch (const std::exception& error) {
    return to_status(Error{ErrorCode::kInternal, error.what()});
  } catch (...) {
    return to_status(Error{ErrorCode::kInternal, "an exception of an unknown kind"});
  }
}

}  // namespace sdv2
