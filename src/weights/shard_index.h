// SPDX-License-Identifier: LGPL-2.1-or-later
// The index of a model that is split over several safetensors files ("X.safetensors.index.json").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sdv2 {

struct ShardIndex {
  struct Entry {
    std::string key;
    size_t shard = 0;  // into shards
  };
  std::vector<std::string> shards;  // file names in the folder of the index, each once, sorted
  std::vector<Entry> entries;       // by key
};

// Parses {"metadata": {...}, "weight_map": {key: shard file name}}. A shard's name must be a plain file name,
// so that an index cannot reach out of its folder. `where` (the file) begins error messages. Errors:
// kCorrupt.
Result<ShardIndex> parse_shard_index(std::string_view text, std::string_view where);

}  // namespace sdv2
