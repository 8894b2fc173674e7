// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

bool accepts(std::string_view text) { return parse_shard_index(text, "file").ok(); }

bool accepts_shard(std::string_view name) {
  return accepts("{\"weight_map\":{\"a\":\"" + std::string(name) + "\"}}");
}

TEST(ShardIndex, ListsShardsOnce) {
  const auto index = parse_shard_index(
      R"({"metadata":{"total_size":12},"weight_map":{"b":"2.safetensors","a":"1.safetensors","c":"2.safetensors"}})",
      "file");
  ASSERT_TRUE(index.ok()) << index.error().message;
  EXPECT_THAT(index->shards, testing::ElementsAre("1.safetensors", "2.safetensors"));
  ASSERT_EQ(index->entries.size(), 3u);
  EXPECT_EQ(index->entries[0].key, "a");
  EXPECT_EQ(index->entries[0].shard, 0u);
  EXPECT_EQ(index->entries[2].key, "c");
  EXPECT_EQ(index->entries[2].shard, 1u);
}

TEST(ShardIndex, KeepsShardsInTheFolder) {
  EXPECT_TRUE(accepts_shard("model-00001-of-00002.safetensors"));
  EXPECT_TRUE(accepts_shard("..a"));
  for (const char* name :
       {"", ".", "..", "/etc/passwd", "../x", "a/b", "a/../../x", "..\\\\x", "a\\u0000b", "a\\nb"})
    EXPECT_FALSE(accepts_shard(name)) << name;
  EXPECT_FALSE(accepts_shard(std::string(256, 'a')));
}

TEST(ShardIndex, RejectsOtherJson) {
  for (const char* text :
       {"", "{}", "[]", "3", R"({"weight_map":{}})", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
        R"({"weight_map":{"":"x"}})", R"({"weight_map":{"a":"x","a":"y"}})"})
    EXPECT_FALSE(accepts(text)) << text;
}

TEST(ShardIndex, BoundsTheNumberOfShards) {
  std::string text = "{\"weight_map\":{";
  for (int i = 0; i < 1'001; ++i) text += "\"" + std::to_string(i) + "\":\"f" + std::to_string(i) + "\",";
  text.back() = '}';
  EXPECT_FALSE(accepts(text + "}"));
}

}  // namespace
}  // namespace sdv2
