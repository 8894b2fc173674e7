// SPDX-License-Identifier: LGPL-2.1-or-later
// An Error of ours as an exception, for the way out of a segment, where ATen throws too.
#pragma once

#include <stdexcept>

#include "base/result.h"

namespace sdv2 {

class SegmentError : public std::runtime_error {
 public:
  explicit SegmentError(Error error) : std::runtime_error(error.message), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

template <class T>
T or_throw(Result<T> result) {
  if (!result.ok()) throw SegmentError(std::move(result).error());
  return *std::move(result);
}

// What was thrown, ours or another's; only in a handler.
Error caught_error();

}  // namespace sdv2
