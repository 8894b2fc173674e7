// SPDX-License-Identifier: LGPL-2.1-or-later
// Prompts: any bytes become UTF-8 without stray whitespace.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/quote.h"
#include "text/clean_prompt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxBytes = 4096;  // cleaning takes quadratic time in the worst case; prompts are short
  const std::string clean =
      sdv2::clean_prompt({reinterpret_cast<const char*>(data), std::min(size, kMaxBytes)});
  const bool tidy = clean.find("  ") == clean.npos && !clean.starts_with(' ') && !clean.ends_with(' ');
  if (!tidy || !sdv2::is_utf8(clean)) std::abort();
  return 0;
}
