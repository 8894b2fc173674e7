// SPDX-License-Identifier: LGPL-2.1-or-later
// Status objects and strings that cross the C ABI.
#include "stub/status.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

struct sdv2_status {
  sdv2_code code;
  std::string message;
};

namespace sdv2::stub {
namespace {

std::atomic<int>& live_counter() {
  static std::atomic<int> counter{0};
  return counter;
}

constexpr ErrorCode kAllCodes[] = {
    ErrorCode::kInvalidArgument, ErrorCode::kNotFound,    ErrorCode::kCorrupt,
    ErrorCode::kUnsupported,     ErrorCode::kOutOfMemory, ErrorCode::kBusy,
    ErrorCode::kCancelled,       ErrorCode::kDevice,      ErrorCode::kInternal};

}  // namespace

sdv2_code to_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return SDV2_INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return SDV2_NOT_FOUND;
    case ErrorCode::kCorrupt:
      return SDV2_CORRUPT;
    case ErrorCode::kUnsupported:
      return SDV2_UNSUPPORTED;
    case ErrorCode::kOutOfMemory:
      return SDV2_OUT_OF_MEMORY;
    case ErrorCode::kBusy:
      return SDV2_BUSY;
    case ErrorCode::kCancelled:
      return SDV2_CANCELLED;
    case ErrorCode::kDevice:
      return SDV2_DEVICE;
    case ErrorCode::kInternal:
      return SDV2_INTERNAL;
  }
  return SDV2_INTERNAL;
}

ErrorCode from_code(sdv2_code code) {
  for (const ErrorCode each : kAllCodes)
    if (to_code(each) == code) return each;
  return ErrorCode::kInternal;
}

Result<ErrorCode> parse_error_code(const std::string& word) {
  for (const ErrorCode each : kAllCodes)
    if (word == to_string(each)) return each;
  return invalid("'" + word + "' is no error code; use a word such as 'not found' or 'device'");
}

sdv2_status* new_status(const Error& error) {
  auto* status = new sdv2_status{to_code(error.code), error.message};
  ++live_counter();
  return status;
}

char* new_string(const std::string& text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  ++live_counter();
  return copy;
}

int live_objects() { return live_counter().load(); }

}  // namespace sdv2::stub

sdv2_code sdv2_status_code(const sdv2_status* status) { return status == nullptr ? SDV2_OK : status->code; }

const char* sdv2_status_message(const sdv2_status* status) {
  return status == nullptr ? "" : status->message.c_str();
}

void sdv2_status_free(sdv2_status* status) {
  if (status == nullptr) return;
  delete status;
  --sdv2::stub::live_counter();
}

void sdv2_string_free(char* string) {
  if (string == nullptr) return;
  std::free(string);
  --sdv2::stub::live_counter();
}
