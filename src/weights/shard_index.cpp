// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/shard_index.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json.h"
#include "base/quote.h"
#include "weights/stored_tensor.h"

namespace sdv2 {
namespace {

constexpr size_t kMaxIndexBytes = 32'000'000;
constexpr size_t kMaxShards = 1'000;  // each is a mapped file
constexpr size_t kMaxFileName = 255;

Error corrupt(std::string_view where, const std::string& what) {
  return {ErrorCode::kCorrupt, std::string(where) + ": " + what};
}

bool is_plain_file_name(std::string_view name) {
  const bool safe = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<uint8_t>(c) >= 0x20 && c != '/' && c != '\\';
  });
  return safe && !name.empty() && name.size() <= kMaxFileName && name != "." && name != "..";
}

}  // namespace

Result<ShardIndex> parse_shard_index(std::string_view text, std::string_view where) {
  constexpr JsonLimits kLimits = {
      .max_bytes = kMaxIndexBytes, .max_depth = 16, .max_values = kMaxTensors * 3};
  SDV2_TRY(const auto root, parse_json(text, where, kLimits));
  const auto map = root.find("weight_map");
  if (map == root.end() || !map->is_object() || map->empty())
    return corrupt(where, "is no index of shards: it has no 'weight_map' with tensors");
  if (map->size() > kMaxTensors)
    return corrupt(where, "more than " + std::to_string(kMaxTensors) + " tensors");

  ShardIndex index;
  std::map<std::string, size_t> shards;
  for (const auto& [key, value] : map->items()) {
    SDV2_CHECK(check_tensor_key(key, where));
    const auto* const name = value.get_ptr<const std::string*>();
    if (name == nullptr) return corrupt(where, "the shard of tensor " + quote(key) + " is not a file name");
    if (!is_plain_file_name(*name))
      return corrupt(where, "the shard of tensor " + quote(key) + ", " + quote(*name) +
                                ", is not the name of a file in the folder of the index");
    shards.emplace(*name, 0);
  }
  if (shards.size() > kMaxShards)
    return corrupt(where, "more than " + std::to_string(kMaxShards) + " shards");
  for (auto& [name, number] : shards) {
    number = index.shards.size();
    index.shards.push_back(name);
  }
  for (const auto& [key, value] : map->items())
    index.entries.push_back({key, shards.at(value.get_ref<const std::string&>())});
  return index;
}

}  // namespace sdv2
