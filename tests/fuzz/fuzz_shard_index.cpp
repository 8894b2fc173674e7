// SPDX-License-Identifier: LGPL-2.1-or-later
// Indexes of shards.
#include <string_view>

#include "fuzz/check_tensors.h"
#include "weights/shard_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto index = sdv2::parse_shard_index({reinterpret_cast<const char*>(data), size}, "file");
  if (!index.ok()) return 0;
  for (const auto& entry : index->entries) sdv2::fuzz::require(entry.shard < index->shards.size());
  for (const auto& shard : index->shards)
    sdv2::fuzz::require(shard.find('/') == shard.npos && shard != ".." && shard != "." && !shard.empty());
  return 0;
}
