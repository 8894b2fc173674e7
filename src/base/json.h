// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON from untrusted files: bounded in size, depth and memory, strict, errors as values.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sdv2 {

// What a text may hold. The defaults suit every JSON file of a model folder (the largest is a tokenizer.json
// of 17 MB).
struct JsonLimits {
  size_t max_bytes = 100'000'000;
  size_t max_depth = 64;           // objects and arrays inside each other
  size_t max_values = 8'000'000;   // values and keys, counted before anything is built
  size_t max_string = 16'000'000;  // bytes of one string as written
};

// Parses one JSON value with nothing but white space around it. Strict: no comments, valid UTF-8, numbers in
// range, no key twice in one object. `where` begins every error message ("model.json"), which tells the byte
// offset (or the key) at fault. Errors: kCorrupt.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view where,
                                  const JsonLimits& limits = {});

// Reads and parses a file. Errors: those of MappedFile::open and parse_json.
Result<nlohmann::json> read_json_file(const std::filesystem::path& path, const JsonLimits& limits = {});

}  // namespace sdv2
