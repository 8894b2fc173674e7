// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/fault.h"

#include <charconv>

namespace sdv2 {
namespace {

// Takes `word` and the number behind it off the front of `text`.
bool take(std::string_view& text, std::string_view word, int64_t& number) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

Result<Fault> parse_fault(std::string_view text) {
  Fault fault;
  int64_t worker = 0;
  std::string_view rest = text;
  if (!take(rest, "device", worker) || !take(rest, "@chunk", fault.chunk) || !rest.empty())
    return Error{ErrorCode::kInvalidArgument,
                 "fault '" + std::string(text) +
                     "' must have the form deviceN@chunkM, like device1@chunk20; both count from 0"};
  fault.worker = static_cast<size_t>(worker);
  return fault;
}

std::string to_string(const Fault& fault) {
  return "device" + std::to_string(fault.worker) + "@chunk" + std::to_string(fault.chunk);
}

}  // namespace sdv2
