// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps that a tokenizer.json takes to cut normalised text into words.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// Cuts at whitespace and removes it.
struct WhitespaceSplit {};

// Writes spaces as `replacement`, puts one in front of the text, and cuts before each.
struct Metaspace {
  enum class Prepend { kAlways, kFirst, kNever };  // kFirst: only at the beginning of the whole text

  std::string replacement;  // one character
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

using PreTokenizer = std::variant<WhitespaceSplit, Metaspace>;

struct Word {
  std::string text;
  bool at_start = false;  // the word begins where the whole text begins
};

// Reads the member "pre_tokenizer" of a tokenizer.json (null: no steps). Other types are kUnsupported.
Result<std::vector<PreTokenizer>> read_pre_tokenizers(const nlohmann::json& json);

// All steps, one after the other. Words are not empty.
std::vector<Word> pre_tokenize(const std::vector<PreTokenizer>& steps, Word text);

}  // namespace sdv2
