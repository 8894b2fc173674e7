// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of tokenizers, tokenizer.json and spiece.model alike, and what their character maps and pieces do to
// a few texts.
#include <cstdint>
#include <cstdlib>

#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxLen = 16;
  constexpr std::string_view kTexts[] = {
      "",
      "a red fox walks, 8k",
      "  <extra_id_0> \xe2\x96\x81 </s>  x",
      "caf\xc3\xa9 e\xcc\x81 \xef\xac\x81 \xe4\xb8\x80\xe5\x8f\xaa \xf0\x9f\x98\x80",
      "\xff\xe2\x98\r\n\xe3\x80\x80",
  };
  const auto tokenizer = sdv2::Tokenizer::parse({reinterpret_cast<const char*>(data), size}, "file");
  if (!tokenizer.ok()) return 0;
  for (const auto text : kTexts) {
    const auto ids = (*tokenizer)->encode(text, kMaxLen);
    if (ids.size() > kMaxLen) std::abort();
    for (const int32_t id : ids)
      if (id < 0) std::abort();
  }
  return 0;
}
