// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON of model folders.
#include "base/json.h"
#include "fuzz/check_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr sdv2::JsonLimits kLimits = {.max_depth = 16, .max_values = 10'000, .max_string = 10'000};
  const auto document = sdv2::parse_json({reinterpret_cast<const char*>(data), size}, "file", kLimits);
  if (!document.ok()) return 0;
  // What was accepted is valid JSON that means the same again.
  const auto again = sdv2::parse_json(document->dump(), "file");
  sdv2::fuzz::require(again.ok() && *again == *document);
  return 0;
}
