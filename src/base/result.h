// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors as values. Inside the engine a function that can fail returns Result<T>; exceptions never cross a C
// border.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sdv2 {

enum class ErrorCode {
  kInvalidArgument,  // the caller asked for something that makes no sense
  kNotFound,         // a file, tensor or device is not there
  kCorrupt,          // a file is damaged or hostile
  kUnsupported,      // a valid request that this build or device cannot serve
  kOutOfMemory,
  kBusy,
  kCancelled,
  kDevice,  // a device failed
  kInternal,
};

// Short, stable word for a code ("corrupt"), for messages and logs.
constexpr const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kOutOfMemory:
      return "out of memory";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kDevice:
      return "device";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

// What went wrong, where, and what to do about it, in one message for a person.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

// A value of type T, or the Error that kept it from being made.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return assert(ok()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(ok()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(ok()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // NOLINTBEGIN(clang-analyzer-core.uninitialized.UndefReturn): clang-tidy cannot see that !ok() is index 1.
  Error& error() & { return assert(!ok()), *std::get_if<1>(&state_); }
  const Error& error() const& { return assert(!ok()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!ok()), std::move(*std::get_if<1>(&state_)); }
  // NOLINTEND(clang-analyzer-core.uninitialized.UndefReturn)

 private:
  std::variant<T, Error> state_;
};

// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & { return assert(!ok()), *error_; }
  const Error& error() const& { return assert(!ok()), *error_; }
  Error&& error() && { return assert(!ok()), std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace sdv2

#define SDV2_CONCAT_INNER(a, b) a##b
#define SDV2_CONCAT(a, b) SDV2_CONCAT_INNER(a, b)

// `SDV2_TRY(auto x, make_x());` assigns the value, or returns the error from the enclosing function.
#define SDV2_TRY(target, expression) SDV2_TRY_NAMED(SDV2_CONCAT(sdv2_result_, __LINE__), target, expression)
// NOLINTBEGIN(bugprone-macro-parentheses): `target` may be a declaration.
#define SDV2_TRY_NAMED(name, target, expression)  \
  auto name = (expression);                       \
  if (!name.ok()) return std::move(name).error(); \
  target = *std::move(name)
// NOLINTEND(bugprone-macro-parentheses)

// `SDV2_CHECK(do_it());` returns the error of a Result<void> from the enclosing function.
#define SDV2_CHECK(expression)                                                                     \
  do {                                                                                             \
    if (auto sdv2_status = (expression); !sdv2_status.ok()) return std::move(sdv2_status).error(); \
  } while (false)
