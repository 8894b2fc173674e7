// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/status.h"

#include <cstdlib>
#include <cstring>

namespace sdv2 {

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

sdv2_status* to_status(const Error& error) { return new sdv2_status{to_code(error.code), error.message}; }

sdv2_status* invalid(const char* message) { return to_status(Error{ErrorCode::kInvalidArgument, message}); }

char* to_c_string(const std::string& text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

}  // namespace sdv2

sdv2_code sdv2_status_code(const sdv2_status* status) { return status == nullptr ? SDV2_OK : status->code; }

const char* sdv2_status_message(const sdv2_status* status) {
  return status == nullptr ? "" : status->message.c_str();
}

void sdv2_status_free(sdv2_status* status) { delete status; }

void sdv2_string_free(char* string) { std::free(string); }
