// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/fault.h"

#include <charconv>
#include <cstdio>

namespace sdv2 {
namespace {

constexpr double kSlowest = 1000;

// Takes `word` and the number behind it off the front of `text`.
template <class Number>
bool take(std::string_view& text, std::string_view word, Number& number) {
  if (!text.starts_with(word)) return false;
  std::string_view rest = text.substr(word.size());
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || !(number >= 0)) return false;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  text = rest;
  return true;
}

bool read(std::string_view text, Fault& fault) {
  int64_t worker = 0;
  if (!take(text, "device", worker)) return false;
  fault.worker = static_cast<size_t>(worker);
  const bool slows = take(text, "*", fault.slowdown);
  if (slows && !(fault.slowdown >= 1 && fault.slowdown <= kSlowest)) return false;
  if (!take(text, "@chunk", fault.chunk)) return false;
  fault.last = fault.chunk;
  if (slows && (!take(text, "-", fault.last) || fault.last < fault.chunk)) return false;
  return text.empty();
}

}  // namespace

Result<Fault> parse_fault(std::string_view text) {
  Fault fault;
  if (!read(text, fault))
    return Error{
        ErrorCode::kInvalidArgument,
        "fault '" + std::string(text) +
            "' must have the form deviceN@chunkM, like device1@chunk20 (it fails), or "
            "deviceN*F@chunkM-L, like device0*2@chunk100-200 (it is F times as slow, 1 to 1000); all "
            "count from 0"};
  return fault;
}

std::string to_string(const Fault& fault) {
  const std::string device = "device" + std::to_string(fault.worker);
  const std::string chunk = "@chunk" + std::to_string(fault.chunk);
  if (fault.fails()) return device + chunk;
  char slowdown[32];
  std::snprintf(slowdown, sizeof slowdown, "*%g", fault.slowdown);
  return device + slowdown + chunk + "-" + std::to_string(fault.last);
}

}  // namespace sdv2
